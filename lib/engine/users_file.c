/* users_file.c: who may log in to a listener, by a file that may change.
 *
 * A hash takes long on purpose. What it has shown once is remembered until the
 * file changes, by a tag that only this process can make: an HMAC of user, hash
 * and password under a key of its own. */
#include "engine/users_file.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "engine/mailbox.h"
#include "os/file_replace.h"

#include <string.h>

enum {
  TAGS = 256, /* logins that are remembered */
  KEY = 32,
};

struct epi__users {
  epi__users *next;
  epi__users_files *files;
  size_t references; /* with the lock of all files */
  char *path;
  epi__file_stamp stamp;
  pthread_mutex_t lock; /* guards what follows */
  epi__user_table *table;
  int warned; /* of passwords that are there as they are */
  int failed; /* what reading it again failed with, or 0 */
  uint8_t key[KEY];
  uint8_t tags[TAGS][EPI__LOGIN_TAG]; /* all zero: none */
};

void epi__users_files_init(epi__users_files *files) {
  pthread_mutex_init(&files->lock, NULL);
}

void epi__users_files_clear(epi__users_files *files) {
  pthread_mutex_destroy(&files->lock);
}

/* ---- files ---- */

static void free_users(epi__users *users) {
  epi__user_table_free(users->table);
  pthread_mutex_destroy(&users->lock);
  epi__free(users->path);
  epi_wipe(users, sizeof *users);
  epi__free(users);
}

/* Once for a file: it would be in the log with every change of it. */
static void warn(epi_engine *engine, epi__users *users) {
  size_t plain = epi__user_table_plain(users->table);

  if (plain && !users->warned) {
    users->warned = 1;
    epi__log(engine, EPI_LOG_NOTE,
             "WARNING: %s has %zu passwords as they are: `epi-proxy passwd` "
             "puts hashes in their place",
             users->path, plain);
  }
}

static int make(epi__users **out, epi_engine *engine, const char *path) {
  epi__users *users = epi__alloc(sizeof *users);
  int result;

  if (!users) {
    return EPI_ENOMEM;
  }
  pthread_mutex_init(&users->lock, NULL);
  users->files = &engine->users;
  users->references = 1;
  users->path = epi__strdup(path);
  result = users->path ? engine->crypto->random(users->key, KEY) : EPI_ENOMEM;
  if (!result) {
    epi__file_changed(path, &users->stamp);
    result = epi__user_table_read(&users->table, path);
  }
  if (result) {
    free_users(users);
    return result;
  }
  warn(engine, users);
  *out = users;
  return 0;
}

/* ---- a file has changed ---- */

static void replace(epi__users *users, epi__user_table *table) {
  epi__user_table *old;

  pthread_mutex_lock(&users->lock);
  old = users->table;
  users->table = table;
  epi_wipe(users->tags, sizeof users->tags);
  pthread_mutex_unlock(&users->lock);
  epi__user_table_free(old);
}

/* What may be over in a moment, as a want of descriptors, must not keep in who
 * was taken out: it is tried again. A file that is bad is bad until it changes.
 */
static void note_failure(epi_engine *engine, epi__users *users, int result) {
  int again =
      result == EPI_ENOMEM || result == EPI_ESYS || result == EPI_ENOENT;

  if (again) {
    memset(&users->stamp, 0, sizeof users->stamp);
  }
  if (!again || result != users->failed) {
    epi__log(engine, EPI_LOG_ERROR,
             "the users are those of before, as %s is bad: %s", users->path,
             epi_error_detail());
  }
  users->failed = result;
}

/* Returns 1 if it was read again, 0 if it did not change, or an error that the
 * log has. */
static int reread(epi_engine *engine, epi__users *users) {
  epi__user_table *table = NULL;
  size_t count;
  int result;

  if (!epi__file_changed(users->path, &users->stamp)) {
    return 0;
  }
  result = epi__user_table_read(&table, users->path);
  if (result) {
    note_failure(engine, users, result);
    return result;
  }
  users->failed = 0;
  count = epi__user_table_count(table);
  replace(users, table);
  epi__log(engine, EPI_LOG_NOTE, "%s was read again: %zu users", users->path,
           count);
  atomic_fetch_add(&engine->users.changes, 1);
  epi__mailbox_wake_all(engine); /* flows of who is gone are cut */
  warn(engine, users);
  return 1;
}

/* ---- listeners come and go ---- */

static int find_or_make(epi__users **out, epi_engine *engine,
                        const char *path) {
  epi__users_files *files = &engine->users;
  epi__users *users = files->first;
  int result;

  while (users && strcmp(users->path, path)) {
    users = users->next;
  }
  if (users) {
    result = reread(engine, users); /* a new listener has what is there now */
    if (result < 0) {
      return result; /* and the caller has nothing to let go of */
    }
    users->references++;
    *out = users;
    return 0;
  }
  if (files->count == EPI__USERS_FILES) {
    return epi__fail(EPI_ELIMIT, "over %d users files", EPI__USERS_FILES);
  }
  result = make(out, engine, path);
  if (!result) {
    (*out)->next = files->first;
    files->first = *out;
    files->count++;
  }
  return result;
}

int epi__users_open(epi__users **out, epi_engine *engine, const char *path) {
  int result;

  pthread_mutex_lock(&engine->users.lock);
  result = find_or_make(out, engine, path);
  pthread_mutex_unlock(&engine->users.lock);
  return result;
}

void epi__users_ref(epi__users *users) {
  pthread_mutex_lock(&users->files->lock);
  users->references++;
  pthread_mutex_unlock(&users->files->lock);
}

void epi__users_close(epi__users *users) {
  epi__users_files *files = users ? users->files : NULL;
  epi__users **at;
  int last;

  if (!users) {
    return;
  }
  pthread_mutex_lock(&files->lock);
  last = !--users->references;
  if (last) {
    for (at = &files->first; *at != users; at = &(*at)->next) {
    }
    *at = users->next;
    files->count--;
  }
  pthread_mutex_unlock(&files->lock);
  if (last) {
    free_users(users);
  }
}

const char *epi__users_path(const epi__users *users) {
  return users->path;
}

int epi_engine_reload_users(epi_engine *engine) {
  int count = 0, error = 0;

  pthread_mutex_lock(&engine->users.lock);
  for (epi__users *at = engine->users.first; at; at = at->next) {
    int result = reread(engine, at);

    count += result > 0;
    error = result < 0 && !error ? result : error;
  }
  pthread_mutex_unlock(&engine->users.lock);
  return error ? error : count;
}

/* ---- logins ---- */

static void tag_of(const epi__users *users, epi__login_question *asked) {
  epi__hmac hmac;

  epi__hmac_start(&hmac, users->key, KEY);
  epi__hmac_add(&hmac, asked->user, strlen(asked->user) + 1);
  epi__hmac_add(&hmac, asked->hash, strlen(asked->hash) + 1);
  epi__hmac_add(&hmac, asked->password, strlen(asked->password) + 1);
  epi__hmac_end(&hmac, asked->tag);
  asked->tag[0] |= 1; /* never all zero */
}

static uint8_t *place_of(epi__users *users, const epi__login_question *asked) {
  return users->tags[asked->tag[1] % TAGS];
}

static int copy(char *to, const char *from) {
  size_t len = strlen(from);

  if (len > EPI_LOGIN_MAX) {
    return 0;
  }
  memcpy(to, from, len + 1);
  return 1;
}

/* Whoever is wrong is so after the time of a hash, if anybody has one: nobody
 * can tell by it which users there are. */
static int look_up(epi__users *users, const char *user, const char *password,
                   epi__login_question *out) {
  ptrdiff_t number = epi__user_table_find(users->table, user);
  const char *hash = epi__user_table_hash(users->table, number, &out->counts);

  if (epi__user_table_is(users->table, number, password)) {
    return 1;
  }
  if (!hash || !copy(out->user, user) || !copy(out->password, password)) {
    return 0;
  }
  memcpy(out->hash, hash, strlen(hash) + 1);
  tag_of(users, out);
  return out->counts && epi__equal_secret(place_of(users, out), out->tag,
                                          EPI__LOGIN_TAG)
             ? 1
             : EPI_EBUSY;
}

int epi__users_ask(epi__users *users, const char *user, const char *password,
                   epi__login_question *out) {
  int result;

  pthread_mutex_lock(&users->lock);
  result = look_up(users, user, password, out);
  pthread_mutex_unlock(&users->lock);
  if (result != EPI_EBUSY) {
    epi_wipe(out, sizeof *out);
  }
  return result;
}

int epi__users_believe(epi__users *users, const epi__login_question *asked) {
  const char *hash;
  int own, same;

  pthread_mutex_lock(&users->lock);
  hash = epi__user_table_hash(
      users->table, epi__user_table_find(users->table, asked->user), &own);
  same = own && !strcmp(hash, asked->hash);
  if (same) {
    memcpy(place_of(users, asked), asked->tag, EPI__LOGIN_TAG);
  }
  pthread_mutex_unlock(&users->lock);
  return same;
}

int epi__users_have(epi__users *users, const char *user) {
  int found;

  pthread_mutex_lock(&users->lock);
  found = epi__user_table_find(users->table, user) >= 0;
  pthread_mutex_unlock(&users->lock);
  return found;
}
