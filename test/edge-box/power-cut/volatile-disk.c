/*
 * A disk with a write cache, for a kernel whose disk is a file: loaded into User-Mode Linux (LD_PRELOAD), it keeps
 * what each write has overwritten since the last flush, in the file VOLATILE_UNDO: u64 offset, u64 length, bytes.
 * After a power cut, volatile-disk.ts takes a random part of these writes back. With VOLATILE_LIES set a flush does
 * nothing, as on a disk that lies.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_BYTES (4 << 20)
/* A flush takes this long, as on a card; so the power often goes while writes wait for it. */
#define FLUSH_NS 5000000

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int undo_fd = -1;
static int lies;
static dev_t disk_dev;
static ino_t disk_ino;
static char old_bytes[MAX_BYTES];

__attribute__((constructor)) static void start(void) {
  const char *disk = getenv("VOLATILE_DISK");
  const char *undo = getenv("VOLATILE_UNDO");
  struct stat found;
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  if (!disk || !undo || stat(disk, &found) != 0) return;
  disk_dev = found.st_dev;
  disk_ino = found.st_ino;
  lies = getenv("VOLATILE_LIES") != NULL;
  undo_fd = open(undo, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (undo_fd < 0) abort();
}

static int is_disk(int fd) {
  struct stat found;
  return undo_fd >= 0 && fstat(fd, &found) == 0 && found.st_dev == disk_dev && found.st_ino == disk_ino;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) {
  if (is_disk(fd)) {
    uint64_t head[2] = {(uint64_t)offset, count};
    struct iovec parts[2] = {{head, sizeof head}, {old_bytes, count}};
    if (count > MAX_BYTES) abort();
    memset(old_bytes, 0, count);
    if (pread(fd, old_bytes, count, offset) < 0) abort();
    if (writev(undo_fd, parts, 2) != (ssize_t)(sizeof head + count)) abort();
  }
  return real_pwrite(fd, bytes, count, offset);
}

static int flush(int fd, int (*real)(int)) {
  struct timespec left = {0, FLUSH_NS};
  if (!is_disk(fd)) return real(fd);
  /* The kernel's timers interrupt it. */
  while (nanosleep(&left, &left) != 0) continue;
  return lies ? 0 : ftruncate(undo_fd, 0);
}

int fsync(int fd) { return flush(fd, real_fsync); }

int fdatasync(int fd) { return flush(fd, real_fdatasync); }
