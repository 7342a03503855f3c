/*
 * A disk in memory as SQLite's default VFS (www.sqlite.org/vfs.html), which keeps what was written but not yet synced
 * apart. It can fail any operation, stop at the n-th, and lose its power: then each sector keeps any of its unsynced
 * states, also half a write. Everything random comes from one seed. Controlled by SQL functions (virtual-disk.ts).
 */
#include <stdlib.h>
#include <string.h>
#include "sqlite3ext.h"
SQLITE_EXTENSION_INIT1

#include "virtual-disk-state.h"

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

static void set_content(File *f, const Content *content, int exists) {
  static const Content nothing;
  forget_changes(f);
  content_copy(&f->now, content ? content : &nothing);
  content_copy(&f->durable, &f->now);
  f->exists = f->is_durable = exists;
  f->is_new = 0;
}

/* A person removes a file, or leaves nothing in it; whoever had it open is gone. */
static void sql_lose(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  File *f = find_file((const char *)sqlite3_value_text(values[0]));
  if (f && f->exists) set_content(f, NULL, sqlite3_value_int(values[1]));
}

/* A person copies a file under another name, as it is read at this moment. */
static void sql_copy_file(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)context, (void)count;
  File *from = find_file((const char *)sqlite3_value_text(values[0]));
  const char *name = (const char *)sqlite3_value_text(values[1]);
  if (from == NULL || !from->exists) return;
  File *to = find_file(name);
  set_content(to ? to : make_file(name), &from->now, 1);
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
    {"disk_lose", 2, sql_lose},    {"disk_copy_file", 2, sql_copy_file},
  };
  for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
    int rc = sqlite3_create_function_v2(db, commands[i].name, commands[i].count, SQLITE_UTF8, NULL, commands[i].run,
                                        NULL, NULL, NULL);
    if (rc != SQLITE_OK) return rc;
  }
  int rc = sqlite3_vfs_register(&vfs, 1);
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
