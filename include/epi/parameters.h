/* parameters.h: the numbers that an engine works with: how many, how long, how
 * much. Those that may change while it runs count from then on; what is said in
 * engine.h of threads counts here, too. */
#ifndef EPI_PARAMETERS_H
#define EPI_PARAMETERS_H

#include "error.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_engine epi_engine;

/* Parameters for epi_engine_set(); the default is in brackets. */
#define EPI_ENGINE_WORKERS        1 /* event loops [number of processors] */
#define EPI_ENGINE_LIMIT          2 /* flows at once; 0: what fds allow [0] */
#define EPI_ENGINE_HANDSHAKE_MS   3 /* for a whole handshake [10,000] */
#define EPI_ENGINE_CONNECT_MS     4 /* for each address that is tried [10,000] */
#define EPI_ENGINE_IDLE_MS        5 /* nothing moved; 0: never [3,600,000] */
#define EPI_ENGINE_HALF_CLOSED_MS 6 /* nothing moved, half closed [120,000] */
#define EPI_ENGINE_BUFFER         7 /* bytes a flow holds per direction [65,536] */
#define EPI_ENGINE_MARK           8 /* mark of own connections; 0: none [0] */

/* Sessions of SOCKS 6, for listeners with the same users together: how many at
 * once, 0: none are begun [10,000]; of one user, or of one address without a
 * login [16]; how long without a request or open flow [600,000]; the largest
 * window of tokens [1,024]. */
#define EPI_ENGINE_SESSIONS           9
#define EPI_ENGINE_SESSIONS_PER_OWNER 10
#define EPI_ENGINE_SESSION_IDLE_MS    11
#define EPI_ENGINE_TOKENS             12

/* Connect to names as RFC 8305 has it, "happy eyeballs", 1 or 0 [1]. A client
 * of SOCKS 6 that asks for it, or for the opposite, gets what it asks for. */
#define EPI_ENGINE_HAPPY_EYEBALLS 13

/* UDP associations: how long without a datagram, 0: for ever [300,000]; how
 * many at once, 0: all are refused [1,024]; of one client address [64]. */
#define EPI_ENGINE_UDP_IDLE_MS         14
#define EPI_ENGINE_ASSOCIATIONS        15
#define EPI_ENGINE_CLIENT_ASSOCIATIONS 16

/* BIND: how long it waits for its host [120,000]; how many of one client
 * address wait at once, 0: all are refused [256]; the lowest and the highest
 * port that clients may have, or ask for with SOCKS 6 UDP ASSOCIATE [1,024 to
 * 65,535]. */
#define EPI_ENGINE_BIND_MS       17
#define EPI_ENGINE_CLIENT_BINDS  18
#define EPI_ENGINE_BIND_PORT_MIN 19
#define EPI_ENGINE_BIND_PORT_MAX 20

/* Connections to hops that are made before a flow needs them (doc/warm.md): how
 * many each worker keeps to a hop that it has used lately, 0: none [8]; how old
 * one gets, less than the hop waits for a handshake [8,000]. Of the descriptors
 * a sixteenth at most is kept for them. */
#define EPI_ENGINE_WARM         21
#define EPI_ENGINE_WARM_IDLE_MS 22

/* Bulk, which no filter wants to see, goes from socket to socket inside the
 * kernel ("splice"): bytes that a flow has there per direction, beside those of
 * EPI_ENGINE_BUFFER; 0: everything is copied [1,048,576]. */
#define EPI_ENGINE_TUBE 23

/* Instances of functions that are started when flows need them (instance.h):
 * how long one may take to be ready, and a flow waits for it [30,000]; how many
 * flows wait at once [1,024]; how long an instance without flows is kept, 0:
 * for ever [60,000]. */
#define EPI_ENGINE_PROVISION_MS     24
#define EPI_ENGINE_PROVISION_FLOWS  25
#define EPI_ENGINE_INSTANCE_IDLE_MS 26

/* How often instances of functions are probed by a connection, without a byte:
 * those of functions that have several, and those that did not answer; 0: never
 * [5,000]. What does not answer gets flows again once a probe finds it; without
 * probes only if nothing else answers and has room. */
#define EPI_ENGINE_HEALTH_MS 27

/* Ask for TCP Fast Open on the way to the destination, 1 or 0 [0], for flows
 * that cannot ask themselves, those of tcp:// and redirect:// listeners and of
 * the model's ports: what the client has said already is in the SYN, if the
 * last proxy and the destination's system do that. A destination may see such
 * data twice (RFC 7413 section 2.1). */
#define EPI_ENGINE_FAST_OPEN 28

/* Names whose addresses each worker remembers, for as long as their records
 * say, an hour at most; 0: each is looked up for each flow [1,024]. */
#define EPI_ENGINE_NAMES 29

/* How many there may be at once, over all workers; 0: as many as come [0].
 * Connections of the address that connects, which count from the moment that
 * they are accepted, while they shake hands too: further ones are closed. Flows
 * of the client, which is whom an authenticated proxy before names, else who
 * connected; and flows of the user: further ones are refused with the reason.
 * IPv6 addresses count by their first 64 bits. A UDP association is a flow. The
 * model may limit the flows of an application (doc/limits.md). */
#define EPI_ENGINE_CLIENT_CONNECTIONS 30
#define EPI_ENGINE_CLIENT_FLOWS       31
#define EPI_ENGINE_USER_FLOWS         32

/* How much a flow may carry, in bytes, from source to destination (out) and the
 * other way; a flow ends with the byte that is too many, which does not go on.
 * And how fast, in bytes a second: over it the sender has to wait, and
 * datagrams are dropped. 0: no limit [0]. Where the model limits the flow's
 * application as well, the lower one counts. */
#define EPI_ENGINE_FLOW_BYTES_OUT  33
#define EPI_ENGINE_FLOW_BYTES_BACK 34
#define EPI_ENGINE_FLOW_RATE_OUT   35
#define EPI_ENGINE_FLOW_RATE_BACK  36

/* The last level of log lines that epi_engine_on_log() gets, EPI_LOG_*, or 0
 * for none [EPI_LOG_DEBUG]. Lines above it are not made, which saves a sixth of
 * what a short flow costs outside of the kernel. */
#define EPI_ENGINE_LOG_LEVEL 37

/* How often the audit log gets a line that says how far it goes, if there were
 * others since [60,000]. */
#define EPI_ENGINE_AUDIT_HEAD_MS 38

/* Log lines of a kind that go out in a second: those of one format, or errors
 * that say the same; 0: all [1,000]. The others are counted: a line says how
 * many there were, and has the last one, ten seconds after the first of them.
 * The audit log has all flows in any case. */
#define EPI_ENGINE_LOG_LINES 39

/* Logins that fail: so many from one address (IPv6: from one /64), 0: any
 * number [10], within so long [60,000], and further ones from there are refused
 * unchecked for a while [30,000], which doubles each further time, up to 128
 * times. How many threads hash passwords at once, at most 16; those that there
 * are stay [2]. */
#define EPI_ENGINE_LOGIN_FAILURES  40
#define EPI_ENGINE_LOGIN_WINDOW_MS 41
#define EPI_ENGINE_LOGIN_PAUSE_MS  42
#define EPI_ENGINE_LOGIN_THREADS   43

/* Bytes that flows may hold, all together: what one peer has sent and the other
 * has not taken, and what came before there was a connection; 0: no limit [0],
 * but EPI_ENGINE_BUFFER of each. At the limit new flows are refused, flows are
 * not read, and one whose peer has taken nothing for ten seconds is ended
 * (doc/limits.md). */
#define EPI_ENGINE_MEMORY 44

/* Set a parameter, also while the engine runs, but for EPI_ENGINE_MARK; and
 * EPI_ENGINE_WORKERS before listening, or once it runs.
 *
 * A worker more gets sockets on every listener. One that is not wanted any more
 * keeps those that it has, so that nobody is refused, and its flows until they
 * end, but gives away whom it accepts. Limits count for whoever comes next:
 * what is above one of them stays. A time counts from when it is looked at
 * next: for a flow that waits already, when the time is over that it was given.
 * Other sizes of EPI_ENGINE_WARM, _WARM_IDLE_MS, _TUBE, _NAMES and _HEALTH_MS
 * have each worker begin anew with what it keeps. The two BIND ports are kept
 * in order: move the one first that is outwards. Returns 0, EPI_EINVAL (no such
 * parameter, or out of bounds), EPI_ESTATE (too late, or workers while it
 * drains), or EPI_ESYS, EPI_ELIMIT or EPI_ENOMEM (for a worker more). Threads:
 * any, at any time. */
EPI_API int epi_engine_set(epi_engine *engine, int parameter, int64_t value);

/* Read a parameter's value and its bounds; each output may be NULL. Of
 * EPI_ENGINE_LIMIT it is the one in force, once the engine was started.
 *
 * Returns 0 or EPI_EINVAL (no such parameter). Threads: any, at any time. */
EPI_API int epi_engine_bounds(const epi_engine *engine, int parameter,
                              int64_t *value, int64_t *lowest,
                              int64_t *highest);

#ifdef __cplusplus
}
#endif

#endif
