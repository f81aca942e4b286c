/* worker.h: the engine and its workers.
 *
 * A worker is a thread with an event loop, sockets of its own on every
 * listener, and the flows that it accepted; it shares with the others only what
 * is set before the start, the policy and the list of listeners (under a lock)
 * and counters. */
#ifndef EPI__WORKER_H
#define EPI__WORKER_H

#include "base/fail.h"
#include "base/slab.h"
#include "engine/guess_limit.h"
#include "engine/held_reply.h"
#include "engine/instances.h"
#include "engine/listener.h"
#include "engine/log_flood.h"
#include "engine/loop.h"
#include "engine/meter.h"
#include "engine/policy.h"
#include "engine/quota.h"
#include "engine/resolve.h"
#include "engine/revoke.h"
#include "engine/slack.h"
#include "engine/tally.h"
#include "engine/tubes.h"
#include "engine/warm.h"
#include "epi/engine.h"
#include "socks/proof.h"
#include "tls/tls_session.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
  EPI__HOPS_MAX = 16,
  EPI__FILTERS_MAX = 16,
  EPI__ADOPTED_MAX = 2048,
  EPI__ENGINE_SETTINGS = EPI_ENGINE_MEMORY + 1,
  EPI__SCRATCH = 256 * 1024, /* a worker's receive buffer */
  EPI__ASSOCIATION_BUCKETS = 256,
  EPI__CHAIN_KEY_MIN = 16,
  EPI__CHAIN_KEY_MAX = 1024,
  EPI__PROXY_ID = 16, /* hexadecimal digits of a proxy's own id */
};

/* A proxy or function that flows are sent through. */
typedef struct epi__hop {
  int version; /* EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12 or EPI_SOCKSX */
  epi_addr addr;
  char *user, *password; /* NULL for none */
  char *link;            /* as a URL, without the password */
  epi__tls_files *tls;   /* NULL: without TLS */
  char *tls_name;  /* whom its certificate is to be of; NULL: of its host */
  int fails_open;  /* flows go on without it if nobody answers there */
  size_t function; /* of the plan at this proxy, from 1; 0: it is none that
                      must prove that it saw the flow */
  epi__instance *instance; /* of a function, and a flow counts there; or NULL */
} epi__hop;

/* Sockets that no listener has yet, in the order in which they came. */
typedef struct epi__adopted_socket {
  int fd;
  int datagrams; /* 1: of UDP */
} epi__adopted_socket;

typedef struct epi__adopted {
  epi__adopted_socket items[EPI__ADOPTED_MAX];
  size_t count;
} epi__adopted;

typedef struct epi__admin epi__admin;
typedef struct epi__association epi__association;
typedef struct epi__audit_log epi__audit_log;
typedef struct epi__backlog epi__backlog;
typedef struct epi__health epi__health;
typedef struct epi__letter epi__letter;
typedef struct epi__provisioner epi__provisioner;
typedef struct epi__status epi__status;
typedef struct epi__udp_reserved epi__udp_reserved;

struct epi__worker {
  epi_engine *engine;
  int number;
  pthread_t thread;
  epi__loop *loop;
  epi__resolver *resolver;
  epi__wake wake;
  epi__listeners *listeners; /* whose doors are open */
  int64_t settled; /* the number of the same, with the engine's lock; 0: none */
  epi__association *associations[EPI__ASSOCIATION_BUCKETS]; /* by id */
  epi__warm *warm;
  epi__policy *policy; /* as of generation; NULL: no model */
  int generation;
  int judged;      /* the generation that all flows were judged by */
  int provisioned; /* as of which flows wait for instances */
  int tuned;       /* as of which its caches have their sizes */
  int drains;      /* as of which flows are cut by a time */
  int users;       /* as of which flows are cut whose user is gone */
  epi__timer drain;
  epi__timer memory; /* of flows that wait for some */
  int waits_for_memory;
  epi__timer flood; /* for log lines that were counted */
  epi__timer heads; /* of the audit log; the first worker's */
  epi__slab flow_slab;
  epi_flow *flows, *ended, *done;
  epi__tubes tubes;
  epi__held held;
  epi__slack slack;
  uint8_t *scratch;
  epi__meter *meter; /* the engine's */
  uint8_t *cipher;   /* the same for what is encrypted; NULL: nothing was yet */
  epi__health *health; /* of the first worker; NULL: no probes */
};

/* What waits for a worker from others, and what they know of it: mailbox.h. */
typedef struct epi__mailbox {
  atomic_int flows; /* that it has, or is given */
  pthread_mutex_t lock;
  epi__worker *worker; /* NULL: not running */
  epi__letter *first, *last;
  size_t count, asked; /* questions are counted apart */
} epi__mailbox;

/* A parameter's value, which may change while workers read it: that costs no
 * more than reading any other number does. */
typedef _Atomic int64_t epi__setting;

struct epi_engine {
  epi_engine *self;      /* for calls that change nothing, but for a lock */
  pthread_mutex_t calls; /* one of those that change it at a time */
  epi__setting settings[EPI__ENGINE_SETTINGS];
  char *name;        /* which proxy of the model, or NULL */
  char *filter_path; /* where a model's shared objects are, or NULL */
  char id[EPI__PROXY_ID + 1];
  int64_t next_listener;
  epi__adopted adopted;
  epi__hop hops[EPI__HOPS_MAX];
  size_t hop_count;
  epi_filter *filters[EPI__FILTERS_MAX];
  size_t filter_count;
  epi_addr dns;          /* kind EPI_ADDR_NONE: none */
  epi_request *metadata; /* goes along with every flow */
  epi__instances *instances;
  epi__provisioner *provisioner;
  struct epi__tls_table *tls;
  epi__audit_log *audit; /* NULL: none */
  epi__users_files users;
  epi__guesses guesses; /* about passwords */
  struct epi__login_pool *logins;

  const epi__crypto *crypto;
  uint8_t *chain_key;
  size_t chain_key_len;
  uint8_t claims_key[EPI__CLAIMS_KEY];
  char *function; /* the name of the function that this is, or NULL */
  uint8_t function_key[EPI__FUNCTION_KEY];

  pthread_mutex_t admin_lock; /* guards what serves admins */
  epi__admin *admin;          /* NULL: nothing does */
  int admin_over;
  void (*on_reload)(void *user);
  void *reload_user;
  atomic_int model_by_admin; /* the model in force came from one */
  atomic_llong runs_since;   /* by epi__clock_steady(); 0: it was not */

  pthread_mutex_t lock;   /* guards what follows, and calls of on_log */
  pthread_cond_t settled; /* a worker has the doors of a list */
  epi__policy *policy;
  atomic_int generation;
  epi__revocation revocation;
  _Atomic(epi__listeners *) listeners; /* replaced by the engine's calls */
  epi__claims_seen seen;
  int64_t started_at;     /* by the clock that never steps */
  epi__tally binds;       /* that wait, by client */
  epi__backlog *backlogs; /* that sessions listen with */
  epi__tally udp_clients; /* with associations */
  int64_t udp_count;      /* associations */
  epi__udp_reserved *udp_reserved;
  void (*on_log)(int level, const char *line, void *user);
  void *log_user;
  epi__log_flood *flood;
  atomic_int
      flooded; /* lines were counted, and no worker has a timer for that */

  atomic_llong buffered;  /* bytes that flows hold */
  epi__quotas quotas;     /* counts with limits */
  int64_t fds;            /* that may be shared out */
  int64_t limit_most;     /* flows that these allow */
  atomic_llong warm_most; /* connections to hops that a worker keeps */
  atomic_int tubes;       /* of each worker, at most */
  atomic_int tuned;       /* how often what workers have copies of changed */
  atomic_int provisioned; /* how often something became of instances */
  atomic_int stopping;
  atomic_int drains;          /* how often it was told to drain */
  atomic_llong drain_ms;      /* as it was told last */
  atomic_int undrained;       /* workers that may accept still */
  atomic_llong short_said_at; /* that descriptors or memory are; 0: never */
  atomic_int was_full;        /* the limit was reached, and the log says so */
  int started;
  epi__worker *workers[EPI__WORKERS_MAX];
  size_t worker_count;
  epi__mailbox mailboxes[EPI__WORKERS_MAX];
  atomic_llong counts[EPI_COUNT_FAILED + 1];
  atomic_llong next_flow;

  atomic_int running;
  int64_t made_at; /* seconds since 1970 UTC */
  int64_t made_ms; /* by the clock that never steps */
  atomic_llong audit_lines, audit_lost;
  atomic_llong suppressed; /* log lines that were only counted */
  _Atomic(epi__meter *) meters[EPI__WORKERS_MAX]; /* NULL: not started */
  epi__meter_names meter_names;
  epi__status *status; /* NULL: nobody can look at it by HTTP */
};

/* Does anybody want log lines of this level? For who has to gather what such a
 * line says: epi__log() asks by itself. */
int epi__logs(const epi_engine *engine, int level);

/* Write a log line, at most 1,000 bytes, made printable. */
void epi__log(epi_engine *engine, int level, const char *format, ...)
    EPI__PRINTF(3, 4);

/* Say how many lines were too many, before the loop waits: in time, by a timer
 * of a worker. And at the end of the engine, or of the worker's loop. */
void epi__log_settle(epi__worker *worker);
void epi__log_settle_all(epi_engine *engine);
void epi__log_settle_end(epi__worker *worker);

/* ---- engine.c ---- */

/* epi_engine_set_model(), of the program's or an admin's. */
int epi__engine_give_model(epi_engine *engine, epi_model *model, int by_admin);

/* ---- engine_settings.c ---- */

/* What a parameter is called in words, or NULL if there is none. */
const char *epi__engine_parameter_name(int parameter);

/* Returns 0, or EPI_ESTATE once the engine was started. */
int epi__engine_not_started(const epi_engine *engine);
void epi__engine_set_defaults(epi_engine *engine);

/* ---- engine_tuning.c ---- */

/* Share the descriptors out, to flows and to what they are quicker with. */
void epi__engine_share_fds(epi_engine *engine);

/* A parameter was set while the engine runs. */
void epi__engine_retune(epi_engine *engine, int parameter);

/* What a worker is made with, and has anew if it changed. */
void epi__worker_warm_limits(const epi__worker *worker, epi__warm_limits *out);
void epi__worker_tune(epi__worker *worker);

/* ---- adopt.c ---- */

/* Take, for each worker, a descriptor of the sockets that the engine was given
 * for an address, whose port 0 is any. *count is how many fds holds: it stays
 * as it is if there are none. Returns 0, EPI_ELIMIT or EPI_EINVAL (UDP sockets
 * of another number than the workers'); they are to be closed all the same. */
int epi__adopted_take(epi_engine *engine, int datagrams, const epi_addr *addr,
                      int *fds, int *count);

/* Let go of those that no listener took; tell is 1 to name them in the log. */
void epi__adopted_drop(epi_engine *engine, int tell);

/* ---- spread.c ---- */

/* Serve a connection that a worker accepted, in that worker or in one that has
 * less to do. */
void epi__spread(epi__worker *worker, epi__listener *listener, int fd,
                 const epi_addr *client);

/* ---- worker.c ---- */

/* Make a worker with its doors, and run it in a thread. Returns 0, EPI_ESYS or
 * EPI_ENOMEM. */
int epi__worker_start(epi__worker **out, epi_engine *engine, int number);

/* Wait for a worker's end, after engine->stopping was set, and free it. */
void epi__worker_join(epi__worker *worker);

/* End all flows of a worker. */
void epi__worker_cut(epi__worker *worker, const char *why);

/* Have the first worker probe instances as often as it shall: one does it for
 * all, the table of instances is the engine's. */
void epi__worker_probe(epi__worker *worker);

/* Have all workers look what changed. */
void epi__workers_wake(const epi_engine *engine);

/* The policy to judge by now, brought up to date; NULL for none. */
epi__policy *epi__worker_policy(epi__worker *worker);

/* ---- status.c ---- */

/* 1 if new connections are taken. */
int epi__engine_is_ready(epi_engine *engine);

/* ---- workers.c ---- */

/* Have so many workers serve flows, while the engine runs. Returns 0;
 * EPI_ESTATE (it drains); EPI_ESYS, EPI_ELIMIT or EPI_ENOMEM, and it has more
 * than before, or as many. */
int epi__workers_change(epi_engine *engine, int64_t count);

/* How many sockets a listener has: as many as there are workers. */
int epi__workers_sockets(const epi_engine *engine);

/* ---- drain.c ---- */

/* The engine was told to drain: have flows cut when their time is over. */
void epi__drain_update(epi__worker *worker);

/* ---- sessions.c ---- */

/* Give a listener that takes SOCKS 6 its sessions: those of one in the list
 * with the same users, or others. Returns 0, EPI_ESYS, EPI_ECRYPTO or
 * EPI_ENOMEM. */
int epi__sessions_join(epi__listener *listener, const epi__listeners *list,
                       const epi_engine *engine);

/* Have the settings that the engine has now. */
void epi__sessions_retune(epi__sessions *sessions, const epi_engine *engine);

/* Let go of a listener's. */
void epi__sessions_free(epi__sessions *sessions);

/* ---- hops ---- */

/* Read a hop's URL. ours is 1 for a URL of this proxy's settings or model,
 * which may name a credentials file; 0 for one that a peer sent, which may not:
 * it would have this proxy send the file to a place of the peer's choice.
 * Returns 0 or an error. */
int epi__hop_read(epi__hop *out, const epi_engine *engine, const char *url,
                  int ours);

/* A session of TLS with a hop that has it. Returns as epi__tls_new(). */
int epi__hop_session(const epi__hop *hop, epi__tls **out);

/* Speak socksx's dialect to a hop of SOCKS 6 whose URL has no settings. Returns
 * 0 or EPI_ENOMEM. */
int epi__hop_use_socksx(epi__hop *hop, const char *url);

int epi__hop_copy(epi__hop *out, const epi__hop *hop);
void epi__hop_clear(epi__hop *hop);

#endif
