/*
 * The disk itself: files in memory with what is durable of them, faults, and what a power cut leaves. Included by
 * virtual-disk.c alone.
 */
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
  /* Made again after a removal that is not durable: the durable content is another file's. */
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
