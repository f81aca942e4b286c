/* login_pool.c: threads that hash passwords, beside the workers. */
#include "engine/flow_login.h"

#include "base/memory.h"
#include "engine/mailbox.h"
#include "os/os.h"

#include <string.h>

struct epi__login_pool {
  epi_engine *engine;
  pthread_mutex_t lock;
  pthread_cond_t asked;
  pthread_t threads[EPI__LOGIN_THREADS_MAX];
  size_t thread_count, idle;
  epi__login *first, *last; /* that wait */
  size_t waiting;
  epi__login *done[EPI__WORKERS_MAX];
  int stopping;
};

/* ---- logins ---- */

epi__login *epi__login_new(epi__users *users, const uint8_t *rest, size_t len) {
  epi__login *login = epi__alloc(sizeof *login + len);

  if (login) {
    login->users = users;
    login->rest_len = len;
    if (len) {
      memcpy(login->rest, rest, len);
    }
  }
  return login;
}

void epi__login_free(epi__login *login) {
  if (login) {
    epi_wipe(login, sizeof *login + login->rest_len);
    epi__free(login);
  }
}

static void free_all(epi__login *login) {
  while (login) {
    epi__login *next = login->next;

    epi__users_close(login->users);
    epi__login_free(login);
    login = next;
  }
}

/* ---- in a thread ---- */

/* Whoever became wrong too often while this waited is not worth a hash. */
static void check(epi__login_pool *pool, epi__login *login) {
  int64_t now = epi__clock_steady();

  if (now >= login->deadline) {
    login->right = EPI_ETIMEOUT;
  } else if (!epi__guess_may(&pool->engine->guesses, &login->client, now,
                             NULL)) {
    login->right = EPI_ELIMIT;
  } else {
    login->right = epi__hash_fits(login->asked.hash, login->asked.password);
    login->right = login->right > 0 && !login->asked.counts ? 0 : login->right;
  }
  if (!login->right) { /* here, so that the next one knows */
    epi__login_wrong(pool->engine, &login->client);
  }
}

static epi__login *take_first(epi__login_pool *pool) {
  epi__login *login = pool->first;

  pool->first = login->next;
  if (!pool->first) {
    pool->last = NULL;
  }
  pool->waiting--;
  return login;
}

static void finish(epi__login_pool *pool, epi__login *login) {
  login->next = pool->done[login->worker];
  pool->done[login->worker] = login;
  epi__mailbox_wake(pool->engine, login->worker);
}

static void *run(void *user) {
  epi__login_pool *pool = user;

  epi__thread_be_nice();
  pthread_mutex_lock(&pool->lock);
  while (!pool->stopping) {
    epi__login *login;

    if (!pool->first) {
      pool->idle++;
      pthread_cond_wait(&pool->asked, &pool->lock);
      pool->idle--;
      continue;
    }
    login = take_first(pool);
    pthread_mutex_unlock(&pool->lock);
    check(pool, login);
    pthread_mutex_lock(&pool->lock);
    finish(pool, login);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

/* ---- the pool ---- */

int epi__login_pool_new(epi__login_pool **out, epi_engine *engine) {
  epi__login_pool *pool = epi__alloc(sizeof *pool);

  if (!pool) {
    return EPI_ENOMEM;
  }
  pool->engine = engine;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->asked, NULL);
  *out = pool;
  return 0;
}

void epi__login_pool_free(epi__login_pool *pool) {
  if (!pool) {
    return;
  }
  pthread_mutex_lock(&pool->lock);
  pool->stopping = 1;
  pthread_cond_broadcast(&pool->asked);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < pool->thread_count; i++) {
    pthread_join(pool->threads[i], NULL);
  }
  free_all(pool->first);
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    free_all(pool->done[i]);
  }
  pthread_cond_destroy(&pool->asked);
  pthread_mutex_destroy(&pool->lock);
  epi__free(pool);
}

/* Returns 0 if a thread runs, else EPI_ESYS. */
static int have_thread(epi__login_pool *pool) {
  size_t most = (size_t)pool->engine->settings[EPI_ENGINE_LOGIN_THREADS];
  int result;

  if (pool->idle > pool->waiting || pool->thread_count >= most) {
    return 0;
  }
  result = epi__thread_start(&pool->threads[pool->thread_count], run, pool);
  pool->thread_count += !result;
  return pool->thread_count ? 0 : result;
}

static int put_last(epi__login_pool *pool, epi__login *login) {
  int result = pool->waiting >= EPI__LOGINS_WAITING
                   ? epi__fail(EPI_ELIMIT,
                               "%d logins wait to be checked "
                               "already",
                               EPI__LOGINS_WAITING)
                   : have_thread(pool);

  if (result) {
    return result;
  }
  login->next = NULL;
  *(pool->last ? &pool->last->next : &pool->first) = login;
  pool->last = login;
  pool->waiting++;
  pthread_cond_signal(&pool->asked);
  return 0;
}

int epi__login_pool_ask(epi__login_pool *pool, epi__login *login) {
  int result;

  pthread_mutex_lock(&pool->lock);
  result = put_last(pool, login);
  pthread_mutex_unlock(&pool->lock);
  return result;
}

/* Who waits still is taken out; who is being hashed, or was, comes back to the
 * worker without a flow. */
void epi__login_pool_forget(epi__login_pool *pool, epi__login *login) {
  epi__login **at = &pool->first, *before = NULL;

  pthread_mutex_lock(&pool->lock);
  login->flow = NULL;
  while (*at && *at != login) {
    before = *at;
    at = &before->next;
  }
  if (*at) {
    *at = login->next;
    if (pool->last == login) {
      pool->last = before;
    }
    pool->waiting--;
  } else {
    login = NULL;
  }
  pthread_mutex_unlock(&pool->lock);
  if (login) {
    login->next = NULL;
    free_all(login);
  }
}

epi__login *epi__login_pool_take(epi__login_pool *pool, int worker) {
  epi__login *done;

  pthread_mutex_lock(&pool->lock);
  done = pool->done[worker];
  pool->done[worker] = NULL;
  pthread_mutex_unlock(&pool->lock);
  return done;
}
