/*
 * A disk in memory as SQLite's default VFS, which keeps what was written but not yet synced apart. It can fail
 * any operation, stop at the n-th, and lose its power: then each sector keeps any of its unsynced states, also half
 * a write. Everything random comes from one seed. Controlled by SQL functions (virtual-disk.ts).
 */
#include <stdlib.h>
#include <string.h>
#include "sqlite3ext.h"
SQLITE_EXTENSION_INIT1

#define SECTOR_BYTES 512
#define SHM_LOCKS 8

typedef sqlite3_int64 i64;
typedef sqlite3_uint64 u64;

typedef struct { unsigned char *bytes; i64 size; i64 room; } Content;
/* Not durable yet. Without bytes: the file is cut to `at`. */
typedef struct { i64 at; int size; unsigned char *bytes; } Change;
typedef struct { int refs; int region_count; char **regions; int shared[SHM_LOCKS]; int exclusive[SHM_LOCKS]; } Shm;

typedef struct Handle Handle;
typedef struct File {
  struct File *next;
  char *name;
  int refs;
  int exists, is_durable;
  /* Made anew after a removal that is not durable: the durable content is another file's. */
  int is_new;
  Content now, durable, saved;
  Change *changes;
  int change_count, change_room;
  int shared;
  Handle *reserved, *pending, *exclusive;
  Shm *shm;
} File;

struct Handle {
  sqlite3_file base;
  File *file;
  int boot, level;
  Shm *shm;
  int shared_mask, exclusive_mask;
};

enum { OP_READ, OP_WRITE, OP_SYNC, OP_TRUNCATE, OP_KINDS };

static File *files;
/* Handles of an earlier boot are those of a process that is gone. */
static int boot;
static u64 random_state;
static int is_dead;
static i64 dies_in = -1;
static i64 faults_hit, changes_lost, deaths, power_cuts;
static struct { i64 skip, count; int code, loses; } faults[OP_KINDS];

static u64 random_u64(void) {
  u64 z = (random_state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

static i64 random_below(i64 n) { return n <= 0 ? 0 : (i64)(random_u64() % (u64)n); }

static void content_resize(Content *c, i64 size) {
  if (size > c->room) {
    c->room = size * 2;
    c->bytes = realloc(c->bytes, c->room);
  }
  if (size > c->size) memset(c->bytes + c->size, 0, size - c->size);
  c->size = size;
}

static void content_write(Content *c, i64 at, const void *bytes, i64 size) {
  if (at + size > c->size) content_resize(c, at + size);
  memcpy(c->bytes + at, bytes, size);
}

static void content_copy(Content *to, const Content *from) {
  content_resize(to, 0);
  if (from->size > 0) content_write(to, 0, from->bytes, from->size);
}

static void forget_changes(File *f) {
  for (int i = 0; i < f->change_count; i++) free(f->changes[i].bytes);
  f->change_count = 0;
}

static void add_change(File *f, i64 at, const void *bytes, int size) {
  if (f->change_count == f->change_room) {
    f->change_room = f->change_room * 2 + 16;
    f->changes = realloc(f->changes, f->change_room * sizeof(Change));
  }
  Change *change = &f->changes[f->change_count++];
  change->at = at;
  change->size = size;
  change->bytes = NULL;
  if (bytes == NULL) {
    content_resize(&f->now, at);
    return;
  }
  change->bytes = malloc(size + 1);
  memcpy(change->bytes, bytes, size);
  content_write(&f->now, at, bytes, size);
}

static File *find_file(const char *name) {
  for (File *f = files; f; f = f->next)
    if (f->name && strcmp(f->name, name) == 0) return f;
  return NULL;
}

static File *make_file(const char *name) {
  File *f = calloc(1, sizeof(File));
  if (name == NULL) return f;
  f->name = strdup(name);
  f->next = files;
  files = f;
  return f;
}

static void release_file(File *f) {
  if (--f->refs > 0 || f->name != NULL) return;
  forget_changes(f);
  free(f->changes);
  free(f->now.bytes);
  free(f->durable.bytes);
  free(f->saved.bytes);
  free(f);
}

static void release_shm(Shm *shm) {
  if (--shm->refs > 0) return;
  for (int i = 0; i < shm->region_count; i++) free(shm->regions[i]);
  free(shm->regions);
  free(shm);
}

/* SQLITE_OK, or how this operation fails. */
static int fault_of(int op) {
  if (is_dead) return SQLITE_IOERR;
  if (op != OP_READ) {
    if (dies_in > 0 && --dies_in == 0) {
      is_dead = 1;
      deaths++;
      return SQLITE_IOERR;
    }
  }
  if (faults[op].count == 0) return SQLITE_OK;
  if (faults[op].skip > 0) {
    faults[op].skip--;
    return SQLITE_OK;
  }
  faults[op].count--;
  faults_hit++;
  return faults[op].code;
}

static int is_gone(Handle *h) { return h->boot != boot || is_dead; }

static int file_close(sqlite3_file *base) {
  Handle *h = (Handle *)base;
  release_file(h->file);
  return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int size, i64 at) {
  Handle *h = (Handle *)base;
  if (is_gone(h)) return SQLITE_IOERR_READ;
  int rc = fault_of(OP_READ);
  if (rc != SQLITE_OK) return rc;
  Content *c = &h->file->now;
  i64 have = c->size - at;
  if (have >= size) {
    memcpy(to, c->bytes + at, size);
    return SQLITE_OK;
  }
  if (have < 0) have = 0;
  if (have > 0) memcpy(to, c->bytes + at, have);
  memset((char *)to + have, 0, size - have);
  return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int size, i64 at) {
  Handle *h = (Handle *)base;
  if (is_gone(h)) return SQLITE_IOERR_WRITE;
  int rc = fault_of(OP_WRITE);
  /* What fails may have been done in part. */
  int done = rc == SQLITE_OK ? size : (int)random_below(size + 1);
  if (done > 0) add_change(h->file, at, from, done);
  return rc;
}

static int file_truncate(sqlite3_file *base, i64 size) {
  Handle *h = (Handle *)base;
  if (is_gone(h)) return SQLITE_IOERR_TRUNCATE;
  int rc = fault_of(OP_TRUNCATE);
  if (rc == SQLITE_OK && size < h->file->now.size) add_change(h->file, size, NULL, 0);
  return rc;
}

/* SQLite syncs the directory with the first sync of a file: what was made and removed in it stays so. */
static void sync_directory(void) {
  for (File *f = files; f; f = f->next) {
    if (!f->exists || f->is_new || !f->is_durable) content_resize(&f->durable, 0);
    f->is_durable = f->exists;
    f->is_new = 0;
  }
}

static void make_durable(File *f) {
  if (f->name && (f->is_new || !f->is_durable)) sync_directory();
  for (int i = 0; i < f->change_count; i++) {
    Change *change = &f->changes[i];
    if (change->bytes) content_write(&f->durable, change->at, change->bytes, change->size);
    else content_resize(&f->durable, change->at);
  }
  forget_changes(f);
}

static int file_sync(sqlite3_file *base, int flags) {
  (void)flags;
  Handle *h = (Handle *)base;
  if (is_gone(h)) return SQLITE_IOERR_FSYNC;
  int loses = faults[OP_SYNC].loses;
  int rc = fault_of(OP_SYNC);
  if (rc == SQLITE_OK) {
    make_durable(h->file);
    return SQLITE_OK;
  }
  if (is_dead || !loses) return rc;
  /* Linux marks pages clean whose write failed: they are read as written, and never written again. */
  File *f = h->file;
  int kept = 0;
  for (int i = 0; i < f->change_count; i++) {
    if (f->changes[i].bytes && random_below(2)) {
      free(f->changes[i].bytes);
      changes_lost++;
    } else f->changes[kept++] = f->changes[i];
  }
  f->change_count = kept;
  return rc;
}

static int file_size(sqlite3_file *base, i64 *size) {
  Handle *h = (Handle *)base;
  if (is_gone(h)) return SQLITE_IOERR_FSTAT;
  *size = h->file->now.size;
  return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level) {
  Handle *h = (Handle *)base;
  File *f = h->file;
  if (is_gone(h)) return SQLITE_IOERR_LOCK;
  if (h->level >= level) return SQLITE_OK;
  if (h->level == SQLITE_LOCK_NONE) {
    if ((f->pending && f->pending != h) || (f->exclusive && f->exclusive != h)) return SQLITE_BUSY;
    f->shared++;
    h->level = SQLITE_LOCK_SHARED;
    if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
  }
  if (f->reserved && f->reserved != h) return SQLITE_BUSY;
  f->reserved = h;
  h->level = SQLITE_LOCK_RESERVED;
  if (level == SQLITE_LOCK_RESERVED) return SQLITE_OK;
  f->pending = h;
  h->level = SQLITE_LOCK_PENDING;
  if (f->shared > 1) return SQLITE_BUSY;
  f->exclusive = h;
  h->level = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int level) {
  Handle *h = (Handle *)base;
  File *f = h->file;
  if (h->boot != boot || h->level <= level) return SQLITE_OK;
  if (f->reserved == h) f->reserved = NULL;
  if (f->pending == h) f->pending = NULL;
  if (f->exclusive == h) f->exclusive = NULL;
  if (level == SQLITE_LOCK_NONE) f->shared--;
  h->level = level;
  return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *is_reserved) {
  *is_reserved = ((Handle *)base)->file->reserved != NULL;
  return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg) {
  (void)base, (void)op, (void)arg;
  return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
  (void)base;
  return SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *base) {
  (void)base;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **at) {
  Handle *h = (Handle *)base;
  *at = NULL;
  if (is_gone(h)) return SQLITE_IOERR_SHMMAP;
  if (h->shm == NULL) {
    if (h->file->shm == NULL) h->file->shm = calloc(1, sizeof(Shm));
    h->shm = h->file->shm;
    h->shm->refs++;
  }
  Shm *shm = h->shm;
  while (extend && shm->region_count <= region) {
    shm->regions = realloc(shm->regions, (shm->region_count + 1) * sizeof(char *));
    shm->regions[shm->region_count++] = calloc(1, size);
  }
  if (region < shm->region_count) *at = shm->regions[region];
  return SQLITE_OK;
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags) {
  Handle *h = (Handle *)base;
  Shm *shm = h->shm;
  if (shm == NULL || is_gone(h)) return SQLITE_IOERR_SHMLOCK;
  for (int i = first; i < first + count && (flags & SQLITE_SHM_LOCK); i++) {
    if (shm->exclusive[i] && !(h->exclusive_mask & (1 << i))) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_EXCLUSIVE) && shm->shared[i] > ((h->shared_mask >> i) & 1)) return SQLITE_BUSY;
  }
  int *mask = flags & SQLITE_SHM_SHARED ? &h->shared_mask : &h->exclusive_mask;
  int *counts = flags & SQLITE_SHM_SHARED ? shm->shared : shm->exclusive;
  for (int i = first; i < first + count; i++) {
    int has = (*mask >> i) & 1;
    int wants = (flags & SQLITE_SHM_LOCK) != 0;
    counts[i] += wants - has;
    *mask = wants ? *mask | (1 << i) : *mask & ~(1 << i);
  }
  return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base) {
  (void)base;
}

static int shm_unmap(sqlite3_file *base, int remove) {
  (void)remove;
  Handle *h = (Handle *)base;
  if (h->shm == NULL) return SQLITE_OK;
  if (h->file->shm == h->shm && h->shm->refs == 1) h->file->shm = NULL;
  release_shm(h->shm);
  h->shm = NULL;
  return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
  2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_reserved,
  file_control, file_sector_size, file_characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, NULL, NULL,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags) {
  (void)vfs;
  Handle *h = (Handle *)base;
  memset(h, 0, sizeof(Handle));
  if (is_dead) return SQLITE_CANTOPEN;
  File *f = name ? find_file(name) : NULL;
  if (name && (f == NULL || !f->exists) && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
  if (f == NULL) f = make_file(name);
  if (!f->exists) {
    f->exists = 1;
    f->is_new = f->is_durable;
  }
  f->refs++;
  h->file = f;
  h->boot = boot;
  h->base.pMethods = &methods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs_directory) {
  (void)vfs;
  if (is_dead) return SQLITE_IOERR_DELETE;
  File *f = find_file(name);
  if (f == NULL || !f->exists) return SQLITE_IOERR_DELETE_NOENT;
  int rc = fault_of(OP_TRUNCATE);
  if (rc != SQLITE_OK) return rc;
  f->exists = 0;
  content_resize(&f->now, 0);
  forget_changes(f);
  if (syncs_directory) sync_directory();
  return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *found) {
  (void)vfs;
  File *f = find_file(name);
  *found = f != NULL && f->exists && (flags != SQLITE_ACCESS_EXISTS || f->now.size > 0);
  return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int room, char *path) {
  (void)vfs;
  sqlite3_snprintf(room, path, "%s", name);
  return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *to) {
  (void)vfs;
  for (int i = 0; i < size; i++) to[i] = (char)random_u64();
  return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us) {
  (void)vfs;
  return us;
}

static int vfs_time(sqlite3_vfs *vfs, i64 *ms) {
  (void)vfs;
  *ms = 212000000000000ll;
  return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text) {
  (void)vfs, (void)size, (void)text;
  return 0;
}

/* The process is gone; what it wrote is still read. */
static void kill_process(void) {
  boot++;
  is_dead = 0;
  dies_in = -1;
  for (File *f = files; f; f = f->next) {
    f->shared = 0;
    f->reserved = f->pending = f->exclusive = NULL;
    f->shm = NULL;
  }
}

/* Each sector shows the state after any of its changes, or in the midst of one; the length has its own moment. */
static void resolve(File *f, int mode) {
  int count = f->change_count;
  int length_until = mode == 0 ? 0 : mode == 1 ? count : (int)random_below(count + 1);
  u64 salt = random_u64();
  u64 outer_state = random_state;
  for (int i = 0; i < count; i++) {
    Change *change = &f->changes[i];
    if (change->bytes == NULL) {
      if (i < length_until && change->at < f->durable.size) content_resize(&f->durable, change->at);
      continue;
    }
    for (i64 done = 0; done < change->size;) {
      i64 at = change->at + done;
      i64 piece = SECTOR_BYTES - at % SECTOR_BYTES;
      if (piece > change->size - done) piece = change->size - done;
      random_state = salt ^ (u64)(at / SECTOR_BYTES) * 0xd6e8feb86659fd93ull;
      int until = mode == 0 ? 0 : mode == 1 ? count : (int)random_below(count + 1);
      if (i < until) content_write(&f->durable, at, change->bytes + done, piece);
      else if (i == until && mode == 2)
        content_write(&f->durable, at, change->bytes + done, random_below(piece + 1));
      done += piece;
    }
  }
  random_state = outer_state;
}

/* mode 0: nothing of what was not synced is kept, 1: all, 2: any part. */
static void cut_power(int mode) {
  kill_process();
  power_cuts++;
  for (File *f = files; f; f = f->next) {
    int was_new = f->is_new || !f->is_durable;
    int old_stays = f->is_durable && (mode == 0 || (mode == 2 && random_below(2)));
    if (f->exists && was_new) {
      int new_stays = !old_stays && mode != 0 && (mode == 1 || random_below(2));
      if (new_stays) {
        content_resize(&f->durable, 0);
        resolve(f, mode);
      }
      f->exists = new_stays || old_stays;
    } else if (f->exists) resolve(f, mode);
    else f->exists = old_stays;
    if (!f->exists) content_resize(&f->durable, 0);
    forget_changes(f);
    content_copy(&f->now, &f->durable);
    f->is_durable = f->exists;
    f->is_new = 0;
  }
}

static void format_disk(void) {
  kill_process();
  memset(faults, 0, sizeof faults);
  while (files) {
    File *f = files;
    files = f->next;
    free(f->name);
    f->name = NULL;
    f->refs++;
    release_file(f);
  }
}

static void sql_format(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  format_disk();
  random_state = (u64)sqlite3_value_int64(values[0]);
  sqlite3_randomness(0, NULL);
}

static void sql_kill(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count, (void)values;
  kill_process();
}

static void sql_power_cut(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  cut_power(sqlite3_value_int(values[0]));
}

/* operation, how many go well first, how many fail then, result code, whether a failing sync loses pages. */
static void sql_fail(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  int op = sqlite3_value_int(values[0]);
  if (op < 0 || op >= OP_KINDS) return;
  faults[op].skip = sqlite3_value_int64(values[1]);
  faults[op].count = sqlite3_value_int64(values[2]);
  faults[op].code = sqlite3_value_int(values[3]);
  faults[op].loses = sqlite3_value_int(values[4]);
}

static void sql_die_in(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  dies_in = sqlite3_value_int64(values[0]);
}

static void sql_clear(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count, (void)values;
  memset(faults, 0, sizeof faults);
  dies_in = -1;
}

static void sql_status(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count, (void)values;
  char *text = sqlite3_mprintf(
    "{\"is_dead\":%s,\"faults_hit\":%lld,\"changes_lost\":%lld,\"deaths\":%lld,\"power_cuts\":%lld}",
    is_dead ? "true" : "false", faults_hit, changes_lost, deaths, power_cuts);
  sqlite3_result_text(context, text, -1, sqlite3_free);
}

/* Copies the whole card, or puts that copy in its place. */
static void sql_copy(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  int puts_back = sqlite3_value_int(values[0]);
  if (puts_back) kill_process();
  for (File *f = files; f; f = f->next) {
    if (!puts_back) {
      content_copy(&f->saved, &f->now);
      continue;
    }
    forget_changes(f);
    content_copy(&f->now, &f->saved);
    content_copy(&f->durable, &f->saved);
    f->exists = f->is_durable = f->saved.size > 0;
    f->is_new = 0;
  }
}

static sqlite3_vfs vfs = {
  .iVersion = 2,
  .szOsFile = sizeof(Handle),
  .mxPathname = 512,
  .zName = "virtual-disk",
  .xOpen = vfs_open,
  .xDelete = vfs_delete,
  .xAccess = vfs_access,
  .xFullPathname = vfs_full_path,
  .xRandomness = vfs_randomness,
  .xSleep = vfs_sleep,
  .xGetLastError = vfs_last_error,
  .xCurrentTimeInt64 = vfs_time,
};

int sqlite3_extension_init(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
  (void)error;
  SQLITE_EXTENSION_INIT2(api);
  static const struct { const char *name; int count; void (*run)(sqlite3_context *, int, sqlite3_value **); } commands[] = {
    {"disk_format", 1, sql_format}, {"disk_kill", 0, sql_kill}, {"disk_power_cut", 1, sql_power_cut},
    {"disk_fail", 5, sql_fail},     {"disk_die_in", 1, sql_die_in}, {"disk_clear", 0, sql_clear},
    {"disk_status", 0, sql_status}, {"disk_copy", 1, sql_copy},
  };
  for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
    int rc = sqlite3_create_function_v2(db, commands[i].name, commands[i].count, SQLITE_UTF8, NULL, commands[i].run,
                                        NULL, NULL, NULL);
    if (rc != SQLITE_OK) return rc;
  }
  int rc = sqlite3_vfs_register(&vfs, 1);
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
