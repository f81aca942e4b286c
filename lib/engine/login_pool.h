/* login_pool.h: threads that hash passwords, beside the workers.
 *
 * A hash takes 50 to 100 ms, on purpose, for which no flow of a worker shall
 * wait but the one that logs in. The threads are nicer than the workers, and
 * begin with the first login. */
#ifndef EPI__LOGIN_POOL_H
#define EPI__LOGIN_POOL_H

#include "engine/users_file.h"

enum {
  EPI__LOGINS_WAITING = 1024,
  EPI__LOGIN_THREADS_MAX = 16,
};

typedef struct epi__login_pool epi__login_pool;

/* A login that is being checked. */
typedef struct epi__login {
  struct epi__login *next;
  epi_flow *flow;    /* its worker's alone; NULL: it has ended */
  int worker;        /* of the flow */
  epi__users *users; /* held */
  epi_addr client;
  int64_t deadline; /* on the steady clock: nobody waits for it any more */
  int right; /* 1 or 0; EPI_ELIMIT: too many were wrong; or another error */
  epi__login_question asked;
  size_t rest_len; /* what the client sent behind it */
  uint8_t rest[];
} epi__login;

/* Make a login with room for what the client sent behind it; and wipe it. */
epi__login *epi__login_new(epi__users *users, const uint8_t *rest, size_t len);
void epi__login_free(epi__login *login);

int epi__login_pool_new(epi__login_pool **out, epi_engine *engine);

/* Once no worker runs any more. NULL is fine. */
void epi__login_pool_free(epi__login_pool *pool);

/* Have a login checked, which is the pool's from here on; its worker is woken
 * when that is done. Returns 0; EPI_ELIMIT (too many wait) or EPI_ESYS (no
 * thread), and it is the caller's still. */
int epi__login_pool_ask(epi__login_pool *pool, epi__login *login);

/* The flow of a login has ended. */
void epi__login_pool_forget(epi__login_pool *pool, epi__login *login);

/* Those of a worker that are done, which are the caller's then; or NULL. */
epi__login *epi__login_pool_take(epi__login_pool *pool, int worker);

#endif
