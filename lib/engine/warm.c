/* warm.c: connections to hops that are there before a flow needs them. */
#include "engine/warm.h"

#include "base/memory.h"
#include "base/net.h"
#include "engine/tls_sock.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stddef.h>
#include <string.h>

enum {
  KEEP = 8, /* how long a hop is remembered without a flow, in idle times */
};

typedef struct pool pool;

/* A connection that nobody uses, or will be one. */
typedef struct spare {
  epi__io io;
  epi__timer timer;
  pool *pool;
  struct spare *older;
  epi__tls *session; /* NULL: without TLS */
  int fd;
  int old; /* its time is nearly over; it counts no more */
} spare;

struct pool {
  epi__warm *warm;
  pool *next; /* which was used before */
  epi_addr addr;
  epi__hop hop; /* if it has TLS; else all zero */
  spare *newest;
  int64_t wanted; /* spares that are not old */
  int64_t used_at;
};

struct epi__warm {
  epi__loop *loop;
  epi__warm_limits limits;
  pool *pools; /* the one used last first */
  int64_t count;
};

int epi__warm_new(epi__warm **out, epi__loop *loop,
                  const epi__warm_limits *limits) {
  epi__warm *warm = epi__alloc(sizeof *warm);

  if (!warm) {
    return EPI_ENOMEM;
  }
  warm->loop = loop;
  warm->limits = *limits;
  *out = warm;
  return 0;
}

/* Take a spare out of its pool: its descriptor is the caller's. */
static int release(spare *taken) {
  epi__warm *warm = taken->pool->warm;
  spare **place = &taken->pool->newest;
  int fd = taken->fd;

  while (*place != taken) {
    place = &(*place)->older;
  }
  *place = taken->older;
  epi__io_stop(warm->loop, &taken->io);
  epi__timer_stop(warm->loop, &taken->timer);
  epi__free(taken);
  warm->count--;
  return fd;
}

/* The hop sees it as a connection that was not used. */
static void close_one(spare *closed) {
  epi__tls *session = closed->session;
  int fd = release(closed);

  if (session && epi__tls_is_open(session)) {
    epi__tls_end(session);
    epi__tls_sock_flush(session, fd);
  }
  epi__tls_free(session);
  epi__sock_close(fd, 0);
}

static void drop_pool(pool *dropped) {
  pool **place = &dropped->warm->pools;

  while (dropped->newest) {
    close_one(dropped->newest);
  }
  while (*place != dropped) {
    place = &(*place)->next;
  }
  *place = dropped->next;
  epi__hop_clear(&dropped->hop);
  epi__free(dropped);
}

/* A pool without connections is forgotten: the hop is down, or not in use. */
static void drop(spare *dropped) {
  pool *from = dropped->pool;

  close_one(dropped);
  if (!from->newest) {
    drop_pool(from);
  }
}

/* It ended, could not connect, or speaks before it was asked. */
static void on_readable(epi__io *io, int events) {
  (void)events;
  drop(EPI__OWNER(io, spare, io));
}

/* The same with TLS, whose handshake comes first. Later only what is TLS's own
 * may come, as the tickets of later sessions. */
static void on_tls(epi__io *io, int events) {
  spare *one = EPI__OWNER(io, spare, io);
  epi__loop *loop = one->pool->warm->loop;
  uint8_t plain[256], cipher[4096];
  int heard = 0, result = 1;

  (void)events;
  if (!epi__tls_is_open(one->session)) {
    result = epi__tls_sock_shake(one->session, one->fd, &heard);
  }
  if (result > 0 &&
      epi__tls_sock_read(one->session, one->fd, plain, sizeof plain, cipher,
                         sizeof cipher) != EPI_ENOENT) {
    result = EPI_ECLOSED;
  }
  if (result < 0) {
    drop(one);
    return;
  }
  epi__io_set(loop, io, one->fd,
              EPI__READ | (epi__tls_sock_waits(one->session) ? EPI__WRITE : 0),
              on_tls);
}

static void on_age(epi__timer *timer);

/* Returns 0, or an error and there is one less than wanted. Whether it connects
 * is seen when it is taken: waiting for that would cost as much again. */
static int open_one(pool *to) {
  epi__warm *warm = to->warm;
  spare *made;

  if (warm->count >= warm->limits.in_all) {
    return EPI_ELIMIT;
  }
  made = epi__alloc(sizeof *made);
  if (!made) {
    return EPI_ENOMEM;
  }
  if (to->hop.tls && epi__hop_session(&to->hop, &made->session)) {
    epi__free(made);
    return EPI_ENOMEM;
  }
  if (epi__sock_connect(&to->addr, warm->limits.mark, &made->fd)) {
    epi__tls_free(made->session);
    epi__free(made);
    return EPI_ESYS;
  }
  made->pool = to;
  made->older = to->newest;
  to->newest = made;
  warm->count++;
  if (made->session) { /* writable: it is connected */
    epi__io_set(warm->loop, &made->io, made->fd, EPI__WRITE, on_tls);
  } else {
    epi__io_set(warm->loop, &made->io, made->fd, EPI__READ, on_readable);
  }
  epi__timer_start(warm->loop, &made->timer,
                   warm->limits.idle_ms - warm->limits.idle_ms / 8, on_age);
  return 0;
}

static int64_t count(const pool *of) {
  int64_t found = 0;

  for (const spare *one = of->newest; one; one = one->older) {
    found += !one->old;
  }
  return found;
}

static void fill(pool *to) {
  int64_t missing = to->wanted - count(to);

  while (missing-- > 0 && !open_one(to)) {
  }
}

/* Nobody took it: fewer are needed, or the hop is not in use any more. While it
 * is, one stays, which is replaced before this one goes. */
static void on_age(epi__timer *timer) {
  spare *aged = EPI__OWNER(timer, spare, timer);
  pool *of = aged->pool;
  const epi__warm *warm = of->warm;
  int in_use =
      epi__loop_now(warm->loop) - of->used_at < KEEP * warm->limits.idle_ms;

  if (aged->old) {
    drop(aged);
    return;
  }
  aged->old = 1;
  epi__timer_start(warm->loop, timer, warm->limits.idle_ms / 8, on_age);
  if (of->wanted > 1 || !in_use) {
    of->wanted--;
  }
  fill(of);
}

/* Is TLS spoken there in the same way, with whom has the same name? */
static int is_same(const epi__hop *a, const epi__hop *b) {
  if (a->tls != b->tls || (a->tls_name != NULL) != (b->tls_name != NULL)) {
    return 0;
  }
  return !a->tls || (a->tls_name ? !strcmp(a->tls_name, b->tls_name)
                                 : epi__addr_same_host(&a->addr, &b->addr));
}

static pool *find(epi__warm *warm, const epi_addr *addr, const epi__hop *hop) {
  pool *found = warm->pools;

  while (found &&
         !(epi_addr_equal(&found->addr, addr) && is_same(&found->hop, hop))) {
    found = found->next;
  }
  return found;
}

static int is_ready(const spare *one) {
  return (!one->session || epi__tls_is_open(one->session)) &&
         epi__sock_is_open(one->fd);
}

int epi__warm_take(epi__warm *warm, const epi_addr *addr, const epi__hop *hop,
                   epi__io *io, epi__tls **session) {
  const pool *from = find(warm, addr, hop);

  for (spare *one = from ? from->newest : NULL; one; one = one->older) {
    if (is_ready(one)) {
      *session = one->session;
      epi__io_move(warm->loop, io, &one->io);
      return release(one);
    }
  }
  return -1;
}

/* Make room for one more. */
static void forget_last(epi__warm *warm) {
  pool *last = warm->pools;
  int number = 1;

  while (last && last->next) {
    last = last->next;
    number++;
  }
  if (number >= EPI__WARM_HOPS) {
    drop_pool(last);
  }
}

static pool *add(epi__warm *warm, const epi_addr *addr, const epi__hop *hop) {
  pool *made;

  forget_last(warm);
  made = epi__alloc(sizeof *made);
  if (made && hop->tls && epi__hop_copy(&made->hop, hop)) {
    epi__free(made);
    return NULL;
  }
  if (made) {
    made->warm = warm;
    made->addr = *addr;
    made->next = warm->pools;
    warm->pools = made;
  }
  return made;
}

static void move_to_front(pool *moved) {
  epi__warm *warm = moved->warm;
  pool **place = &warm->pools;

  while (*place != moved) {
    place = &(*place)->next;
  }
  *place = moved->next;
  moved->next = warm->pools;
  warm->pools = moved;
}

void epi__warm_used(epi__warm *warm, const epi_addr *addr, const epi__hop *hop,
                    int missed) {
  pool *used;

  if (!warm->limits.per_hop) {
    return;
  }
  used = find(warm, addr, hop);
  used = used ? used : add(warm, addr, hop);
  if (!used) {
    return;
  }
  move_to_front(used);
  used->used_at = epi__loop_now(warm->loop);
  if (used->wanted < warm->limits.per_hop && (missed || !used->wanted)) {
    used->wanted++;
  }
  fill(used);
}

int64_t epi__warm_count(const epi__warm *warm) {
  return warm->count;
}

void epi__warm_clear(epi__warm *warm) {
  while (warm->pools) {
    drop_pool(warm->pools);
  }
}

void epi__warm_limit(epi__warm *warm, const epi__warm_limits *limits) {
  epi__warm_clear(warm);
  warm->limits = *limits;
}

void epi__warm_free(epi__warm *warm) {
  if (warm) {
    epi__warm_clear(warm);
    epi__free(warm);
  }
}
