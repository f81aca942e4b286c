/* users_file.h: who may log in to a listener, by a file that may change.
 *
 * Listeners with the same file share what was read of it. */
#ifndef EPI__USERS_FILE_H
#define EPI__USERS_FILE_H

#include "engine/user_table.h"
#include "epi/engine.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
  EPI__USERS_FILES = 64, /* of an engine */
  EPI__LOGIN_TAG = 32,
};

typedef struct epi__users epi__users;

/* The users files of an engine. */
typedef struct epi__users_files {
  pthread_mutex_t lock;
  epi__users *first;
  size_t count;
  atomic_int changes; /* how often one was read again; workers look at it */
} epi__users_files;

/* What is to be found out about a login by hashing its password. */
typedef struct epi__login_question {
  char user[EPI_LOGIN_MAX + 1];
  char password[EPI_LOGIN_MAX + 1];
  char hash[EPI__HASH_MAX];    /* to hash it by */
  int counts;                  /* 0: the login is wrong, and takes as long */
  uint8_t tag[EPI__LOGIN_TAG]; /* of what was verified, for next time */
} epi__login_question;

void epi__users_files_init(epi__users_files *files);
void epi__users_files_clear(epi__users_files *files);

/* Have a users file, read if no listener has it yet; hold it once more; and let
 * go of it, from any thread. Returns 0; EPI_ELIMIT (too many, or it is too
 * large); or an error that names file and line. */
int epi__users_open(epi__users **out, epi_engine *engine, const char *path);
void epi__users_ref(epi__users *users);
void epi__users_close(epi__users *users);

/* Its path. */
const char *epi__users_path(const epi__users *users);

/* Look a login up. Returns 1 or 0, or EPI_EBUSY: *out is to be answered by
 * hashing, and wiped. Threads: any. */
int epi__users_ask(epi__users *users, const char *user, const char *password,
                   epi__login_question *out);

/* The hash fits: 1 if it is still the user's, whom it need not be asked for
 * again until the file changes; else 0. */
int epi__users_believe(epi__users *users, const epi__login_question *asked);

/* 1 if there is such a user. */
int epi__users_have(epi__users *users, const char *user);

#endif
