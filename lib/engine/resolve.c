/* resolve.c: names to addresses, by c-ares. */
#include "engine/resolve.h"

#include "base/fail.h"
#include "base/memory.h"
#include "engine/name_cache.h"
#include "os/os.h"

#include <ares.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>

enum {
  SOCKETS = 16, /* that c-ares has open at once, one or two for each server */
  TIMEOUT_MS = 2000,
  TRIES = 3,
  DELAY_MS = 50, /* RFC 8305 section 8: resolution delay */
};

typedef struct query_socket {
  epi__io io;
  epi__resolver *resolver;
  ares_socket_t fd;
  int used;
} query_socket;

struct epi__resolver {
  epi__loop *loop;
  ares_channel channel;
  uint32_t mark;
  epi__name_cache *cache;
  epi__meter *meter; /* or NULL */
  epi__timer timer;
  query_socket sockets[SOCKETS];
};

/* A question about both families, or one of two. */
typedef struct question {
  epi__node_lookup *lookup;
  struct ares_addrinfo *info; /* its answer */
  int given;                  /* and that was given on */
  int status;
} question;

struct epi__node_lookup {
  void (*callback)(void *user, const epi_addr *addrs, size_t count,
                   const char *why);
  void *user;
  epi_addr name;
  epi__resolver *resolver;
  epi__timer delay;
  question questions[2]; /* of a race: IPv6, IPv4 */
  int waiting;           /* questions without an answer */
  int found;             /* addresses were given on already */
  int64_t began_at;
};

static void watch_timeout(epi__resolver *resolver);

static void on_socket(epi__io *io, int events) {
  query_socket *socket = EPI__OWNER(io, query_socket, io);
  epi__resolver *resolver = socket->resolver;

  ares_process_fd(resolver->channel,
                  events & EPI__READ ? socket->fd : ARES_SOCKET_BAD,
                  events & EPI__WRITE ? socket->fd : ARES_SOCKET_BAD);
  watch_timeout(resolver);
}

static void on_timeout(epi__timer *timer) {
  epi__resolver *resolver = EPI__OWNER(timer, epi__resolver, timer);

  ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  watch_timeout(resolver);
}

static void watch_timeout(epi__resolver *resolver) {
  struct timeval wait;

  if (ares_timeout(resolver->channel, NULL, &wait)) {
    epi__timer_start(resolver->loop, &resolver->timer,
                     wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1, on_timeout);
  } else {
    epi__timer_stop(resolver->loop, &resolver->timer);
  }
}

static void on_state(void *user, ares_socket_t fd, int readable, int writable) {
  int events = (readable ? EPI__READ : 0) | (writable ? EPI__WRITE : 0);
  epi__resolver *resolver = user;
  query_socket *free_one = NULL;

  for (int i = 0; i < SOCKETS; i++) {
    query_socket *socket = &resolver->sockets[i];

    if (socket->used && socket->fd == fd) {
      epi__io_set(resolver->loop, &socket->io, fd, events, on_socket);
      socket->used = events != 0;
      return;
    }
    if (!socket->used && !free_one) {
      free_one = socket;
    }
  }
  /* With no place left the query ends by its timeout. */
  if (events && free_one) {
    free_one->resolver = resolver;
    free_one->fd = fd;
    free_one->used = 1;
    epi__io_set(resolver->loop, &free_one->io, fd, events, on_socket);
  }
}

/* Queries over TCP must not run into a redirector on this machine. */
static int on_new_socket(ares_socket_t fd, int type, void *user) {
  epi__resolver *resolver = user;

  (void)type;
  epi__sock_mark(fd, resolver->mark);
  return ARES_SUCCESS;
}

static int library_status;

static void start_library(void) {
  library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

/* Returns 0 or EPI_ESYS. */
static int open_channel(epi__resolver *resolver) {
  struct ares_options options = {0};
  int status;

  options.sock_state_cb = on_state;
  options.sock_state_cb_data = resolver;
  options.timeout = TIMEOUT_MS;
  options.tries = TRIES;
  status = library_status
               ? library_status
               : ares_init_options(&resolver->channel, &options,
                                   ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS |
                                       ARES_OPT_TRIES);
  if (status) {
    return epi__fail(EPI_ESYS, "no resolver: %s", ares_strerror(status));
  }
  ares_set_socket_configure_callback(resolver->channel, on_new_socket,
                                     resolver);
  return 0;
}

int epi__resolver_new(epi__resolver **out, epi__loop *loop, uint32_t mark,
                      size_t names) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  epi__resolver *resolver;
  int result;

  pthread_once(&once, start_library);
  resolver = epi__alloc(sizeof *resolver);
  if (!resolver) {
    return EPI_ENOMEM;
  }
  resolver->loop = loop;
  resolver->mark = mark;
  result = epi__name_cache_new(&resolver->cache, names);
  if (!result) {
    result = open_channel(resolver);
  }
  if (result) {
    epi__name_cache_free(resolver->cache);
    epi__free(resolver);
    return result;
  }
  *out = resolver;
  return 0;
}

void epi__resolver_remember(epi__resolver *resolver, size_t names) {
  epi__name_cache *cache;

  if (!epi__name_cache_new(&cache, names)) {
    epi__name_cache_free(resolver->cache);
    resolver->cache = cache;
  }
}

void epi__resolver_count(epi__resolver *resolver, epi__meter *meter) {
  resolver->meter = meter;
}

void epi__resolver_free(epi__resolver *resolver) {
  if (resolver) {
    ares_destroy(resolver->channel);
    epi__timer_stop(resolver->loop, &resolver->timer);
    for (int i = 0; i < SOCKETS; i++) {
      epi__io_stop(resolver->loop, &resolver->sockets[i].io);
    }
    epi__name_cache_free(resolver->cache);
    epi__free(resolver);
  }
}

static size_t take_addrs(epi_addr *out, size_t count,
                         const struct ares_addrinfo *info, uint16_t port) {
  for (const struct ares_addrinfo_node *node = info->nodes;
       node && count < EPI__LOOKUP_MAX; node = node->ai_next) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (node->ai_family == AF_INET) {
      memcpy(&v4, node->ai_addr, sizeof v4);
      epi_addr_set_ip(&out[count++], &v4.sin_addr, 4, port);
    } else if (node->ai_family == AF_INET6) {
      memcpy(&v6, node->ai_addr, sizeof v6);
      epi_addr_set_ip(&out[count++], &v6.sin6_addr, 16, port);
    }
  }
  return count;
}

/* Give on what came in; why is NULL if more may come. */
static void give(epi__node_lookup *lookup, const char *why) {
  epi_addr addrs[EPI__LOOKUP_MAX];
  size_t count = 0;

  for (int i = 0; i < 2; i++) {
    question *from = &lookup->questions[i];

    if (from->info && !from->given) {
      count = take_addrs(addrs, count, from->info, lookup->name.port);
      from->given = 1;
    }
  }
  lookup->found |= count > 0;
  if (lookup->callback) {
    lookup->callback(lookup->user, addrs, count,
                     why && lookup->found ? "" : why);
  }
}

static void on_delay(epi__timer *timer) {
  give(EPI__OWNER(timer, epi__node_lookup, delay), NULL);
}

/* RFC 8305 section 3: IPv6 addresses count at once, IPv4 ones may wait for
 * those a moment. */
static void give_early(epi__node_lookup *lookup, const question *from) {
  if (from == &lookup->questions[0]) {
    give(lookup, NULL);
  } else if (lookup->callback) {
    epi__timer_start(lookup->resolver->loop, &lookup->delay, DELAY_MS,
                     on_delay);
  }
}

/* Why nothing was found: that there is no address of a family says less than
 * what went wrong with the other. */
static const char *reason(const epi__node_lookup *lookup) {
  const question *last = &lookup->questions[1];

  return ares_strerror(last->lookup && last->status != ARES_ENODATA
                           ? last->status
                           : lookup->questions[0].status);
}

/* How long all of an answer is valid, in seconds. */
static int64_t lifetime(const struct ares_addrinfo *info, int64_t most) {
  for (const struct ares_addrinfo_node *node = info->nodes; node;
       node = node->ai_next) {
    most = node->ai_ttl < most ? node->ai_ttl : most;
  }
  for (const struct ares_addrinfo_cname *name = info->cnames; name;
       name = name->next) {
    most = name->ttl < most ? name->ttl : most;
  }
  return most;
}

/* Only what is whole: that a family has no address is an answer, that nobody
 * said so is none. */
static void remember(const epi__node_lookup *lookup) {
  epi__resolver *resolver = lookup->resolver;
  int64_t ttl = EPI__NAME_CACHE_S;
  epi_addr addrs[EPI__LOOKUP_MAX];
  size_t count = 0;

  for (int i = 0; i < 2; i++) {
    const question *one = &lookup->questions[i];

    if (one->lookup && one->status != ARES_SUCCESS &&
        one->status != ARES_ENODATA) {
      return;
    }
    if (one->info) {
      ttl = lifetime(one->info, ttl);
      count = take_addrs(addrs, count, one->info, 0);
    }
  }
  epi__name_cache_put(resolver->cache, lookup->name.name, addrs, count, ttl,
                      epi__loop_now(resolver->loop));
}

/* The last answer is there, if anybody still waits for it. */
static void count_answer(const epi__node_lookup *lookup) {
  const epi__resolver *resolver = lookup->resolver;
  epi__meter *meter = resolver->meter;
  int found = lookup->questions[0].info || lookup->questions[1].info;

  epi__meter_time(meter, EPI__METER_LOOKUP,
                  epi__loop_now(resolver->loop) - lookup->began_at);
  epi__meter_add(meter, EPI__METER_NAME_FAILURES, !found);
}

static void free_lookup(epi__node_lookup *lookup) {
  for (int i = 0; i < 2; i++) {
    if (lookup->questions[i].info) {
      ares_freeaddrinfo(lookup->questions[i].info);
    }
  }
  epi__free(lookup);
}

static void on_answer(void *user, int status, int timeouts,
                      struct ares_addrinfo *info) {
  question *from = user;
  epi__node_lookup *lookup = from->lookup;

  (void)timeouts;
  from->info = info;
  from->status = status;
  if (status == ARES_EDESTRUCTION) {
    epi__node_lookup_cancel(lookup);
  }
  if (--lookup->waiting) {
    if (info && info->nodes) {
      give_early(lookup, from);
    }
    return;
  }
  epi__timer_stop(lookup->resolver->loop, &lookup->delay);
  if (status != ARES_EDESTRUCTION) {
    remember(lookup);
    count_answer(lookup);
  }
  give(lookup, reason(lookup));
  free_lookup(lookup);
}

/* Ask; lookup may be gone afterwards. */
static void ask(epi__resolver *resolver, question *to, const char *name,
                int family) {
  struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT,
                                      .ai_family = family,
                                      .ai_socktype = SOCK_STREAM};

  ares_getaddrinfo(resolver->channel, name, NULL, &hints, on_answer, to);
}

/* A name in /etc/hosts is whole at once: name servers are not asked about the
 * family that is not there. */
static int is_in_hosts(const epi__resolver *resolver, const char *name) {
  struct hostent *host = NULL;
  int status =
      ares_gethostbyname_file(resolver->channel, name, AF_UNSPEC, &host);

  if (host) {
    ares_free_hostent(host);
  }
  return status == ARES_SUCCESS;
}

static int start(epi__resolver *resolver, const epi_addr *name, int race,
                 void (*callback)(void *user, const epi_addr *addrs,
                                  size_t count, const char *why),
                 void *user, epi__node_lookup **out) {
  epi__node_lookup *lookup = epi__alloc(sizeof *lookup);

  if (!lookup) {
    return EPI_ENOMEM;
  }
  lookup->callback = callback;
  lookup->user = user;
  lookup->name = *name;
  lookup->resolver = resolver;
  lookup->began_at = epi__loop_now(resolver->loop);
  lookup->waiting = race ? 2 : 1;
  lookup->questions[0].lookup = lookup;
  lookup->questions[1].lookup = race ? lookup : NULL;
  *out = lookup;
  if (race) {
    ask(resolver, &lookup->questions[0], name->name, AF_INET6);
    ask(resolver, &lookup->questions[1], name->name, AF_INET);
  } else {
    ask(resolver, &lookup->questions[0], name->name, AF_UNSPEC);
  }
  watch_timeout(resolver);
  return 0;
}

/* Returns 1 if what is remembered was all that is to be said. */
static int give_known(epi__resolver *resolver, const epi_addr *name,
                      void (*callback)(void *user, const epi_addr *addrs,
                                       size_t count, const char *why),
                      void *user, epi__node_lookup **out) {
  epi_addr addrs[EPI__LOOKUP_MAX];
  size_t count =
      epi__name_cache_get(resolver->cache, name, epi__loop_now(resolver->loop),
                          addrs, EPI__LOOKUP_MAX);

  epi__meter_add(resolver->meter,
                 count ? EPI__METER_NAME_HITS : EPI__METER_NAME_MISSES, 1);
  if (!count) {
    return 0;
  }
  *out = NULL;
  callback(user, addrs, count, "");
  return 1;
}

int epi__node_lookup_start(epi__resolver *resolver, const epi_addr *name,
                           void (*callback)(void *user, const epi_addr *addrs,
                                            size_t count, const char *why),
                           void *user, epi__node_lookup **out) {
  return give_known(resolver, name, callback, user, out)
             ? 0
             : start(resolver, name, 0, callback, user, out);
}

int epi__node_lookup_race(epi__resolver *resolver, const epi_addr *name,
                          void (*callback)(void *user, const epi_addr *addrs,
                                           size_t count, const char *why),
                          void *user, epi__node_lookup **out) {
  return give_known(resolver, name, callback, user, out)
             ? 0
             : start(resolver, name, !is_in_hosts(resolver, name->name),
                     callback, user, out);
}

void epi__node_lookup_cancel(epi__node_lookup *lookup) {
  if (lookup) {
    lookup->callback = NULL;
    epi__timer_stop(lookup->resolver->loop, &lookup->delay);
  }
}
