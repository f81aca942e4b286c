/* listener.h: what an engine listens with, and the doors of its workers.
 *
 * A listener has a socket for each worker, which the kernel spreads connections
 * over. An engine's list of them never changes: another one takes its place,
 * each worker keeps to the one that it saw last, and closes and opens what
 * differs. Listeners that both have keep their sockets. */
#ifndef EPI__LISTENER_H
#define EPI__LISTENER_H

#include "engine/allow_list.h"
#include "engine/loop.h"
#include "engine/users_file.h"
#include "epi/engine.h"
#include "epi/session.h"
#include "tls/dtls.h"

#include <stdatomic.h>

enum {
  EPI__LISTENERS_MAX = 64, /* of epi_engine_listen() */
  EPI__WORKERS_MAX = 64,
};

typedef struct epi__worker epi__worker;
typedef struct epi__sessions epi__sessions;
typedef struct epi__dtls_door epi__dtls_door;
typedef struct epi__tls_files epi__tls_files;

#define EPI__LISTEN_SOCKS    1
#define EPI__LISTEN_REVERSE  2
#define EPI__LISTEN_REDIRECT 4
#define EPI__LISTEN_PORT     8 /* of the model */
#define EPI__LISTEN_ANY      15

/* A UDP port, with a socket for each worker. */
typedef struct epi__udp_port {
  int fds[EPI__WORKERS_MAX]; /* each closed by its worker, and then -1 */
  int count;
  uint16_t port;
} epi__udp_port;

/* A listener's UDP socket in one worker. */
typedef struct epi__udp_door {
  epi__io io;
  epi__worker *worker;
  epi__listener *listener;
  int fd;
} epi__udp_door;

/* A listener's sockets in one worker. */
typedef struct epi__door {
  epi__io io;
  epi__timer pause;
  epi__worker *worker; /* NULL: it is not open */
  epi__listener *listener;
  int fd;
  unsigned round; /* of the loop, when something came last */
  epi__udp_door udp;
  epi__dtls_door *dtls; /* NULL: none */
} epi__door;

struct epi__listener {
  atomic_int references; /* lists and flows hold it */
  atomic_int lists;      /* those that have it; with the last, its sockets go */
  atomic_int retired;    /* the engine does not listen with it any more */
  int kept;   /* the next list has it, too; the engine's calls' own */
  int64_t id; /* its own in the engine */
  int kind;
  int accept,
      draft;     /* of SOCKS listeners, as epi_session_new_server() has them */
  epi_addr addr; /* as bound */
  epi_addr dest; /* of reverse listeners */
  epi__users *users; /* NULL: no login */
  epi__allow *allow; /* NULL: anybody may connect */
  epi_addr bnd;      /* what replies say instead of it; or kind EPI_ADDR_NONE */
  char *users_file;
  int tfo; /* clients at once whose data is taken from the SYN; 0: none */
  epi__sessions *sessions;   /* NULL: none; shared with others */
  int fds[EPI__WORKERS_MAX]; /* each closed by its worker, and then -1 */
  int fd_count;
  epi__udp_port udp_port;  /* for datagrams of SOCKS 6 */
  epi__udp_port dtls_port; /* the same over DTLS */
  epi__dtls_server *dtls;
  epi__tls_files *tls;      /* NULL: clients speak without */
  epi__tls_files *dest_tls; /* of reverse listeners; NULL: to there without */
  char *dest_name;  /* whom its certificate is to be of; NULL: of its host */
  epi__door *doors; /* one for each worker that there may be */
  char *name;       /* its URL for log lines */
  char *url;        /* as it was given; NULL: a port of the model */
};

typedef struct epi__listeners {
  atomic_int references;
  int64_t number; /* each has one more than the one before it */
  size_t count;
  epi__listener *items[]; /* referenced */
} epi__listeners;

/* ---- listener.c ---- */

/* Read a listener's URL and bind its sockets, one for each worker, or take
 * those that the engine was given for its address. */
int epi__listener_new(epi__listener **out, epi_engine *engine, const char *url);

/* The same for a port of the model. */
int epi__listener_new_port(epi__listener **out, epi_engine *engine,
                           const epi_addr *addr);

/* Hold once more, and let go; from any thread. */
epi__listener *epi__listener_ref(epi__listener *listener);
void epi__listener_free(epi__listener *listener);

/* Close its sockets; no worker may watch them any more. */
void epi__listener_close(epi__listener *listener);

/* ---- listeners.c ---- */

/* A list with room for so many listeners, and none yet; NULL when out of
 * memory. */
epi__listeners *epi__listeners_new(size_t room);
void epi__listeners_add(epi__listeners *list, epi__listener *listener);

/* The same, but that those which it lacks are only closed, each by its worker,
 * which takes first who waits there: other processes may have the sockets. */
epi__listeners *epi__listeners_leave(epi_engine *engine, epi__listeners *list);

/* Close the sockets of them all; no worker may watch them any more. */
void epi__listeners_close(epi__listeners *list);

/* Hold once more, and let go; from any thread. */
epi__listeners *epi__listeners_ref(epi__listeners *list);
void epi__listeners_free(epi__listeners *list);

/* Listen with another list from now on, with the engine's lock. Those that it
 * lacks retire: nobody can connect to them from here on, and others can have
 * their ports. Returns the list before, to be freed without the lock; the
 * workers are to be woken. */
epi__listeners *epi__listeners_swap(epi_engine *engine, epi__listeners *list);

/* Does one that takes SOCKS have this very address? */
int epi__listeners_are_at(const epi__listeners *list, const epi_addr *addr);

/* Does an address lead back to a listener of some kinds, a sum of
 * EPI__LISTEN_*? What a client's socket, -1 for none, is connected to is an
 * address of listeners on all addresses. */
int epi__listeners_have(const epi__listeners *list, int kinds,
                        const epi_addr *addr, int client);

/* Would a flow come back to one of these for ever? Returns 0 or EPI_EINVAL. */
int epi__listeners_check_loops(const epi__listeners *list,
                               const epi_engine *engine);

/* ---- doors.c ---- */

/* Open the doors of the listeners that a worker knows, and close them. */
void epi__doors_open(epi__worker *worker);
void epi__doors_close(epi__worker *worker);

/* Have the doors of the listeners that the engine has now. */
void epi__doors_update(epi__worker *worker);

/* Do all workers have the doors of the engine's listeners, and no others? With
 * the engine's lock; a change signals engine->settled. */
int epi__doors_are_settled(const epi_engine *engine);

/* A worker's door to a listener, or NULL if there is none any more. */
epi__door *epi__door_find(const epi__worker *worker, int64_t listener);

/* ---- door.c ---- */

/* Watch a listener's socket in a worker, and end that. */
void epi__door_open(epi__door *door, epi__worker *worker,
                    epi__listener *listener);
void epi__door_close(epi__door *door);

/* Take who waits there already. */
void epi__door_empty(epi__door *door);

/* ---- udp_door.c ---- */

/* Bind a UDP port of an address, 0 for any that is free, or take the sockets
 * that the engine was given for it. Returns 0 or an error; what was bound then
 * is to be closed all the same. */
int epi__udp_bind_all(epi__udp_port *out, epi_engine *engine,
                      const epi_addr *addr, uint16_t port);
void epi__udp_close_all(epi__udp_port *port);

/* Bind a listener's UDP port. Returns 0 or an error. */
int epi__udp_door_bind(epi__listener *listener, epi_engine *engine,
                       uint16_t port);

/* Watch it in a worker, and end that; without one they do nothing. */
void epi__udp_door_open(epi__udp_door *door, epi__worker *worker,
                        epi__listener *listener);
void epi__udp_door_close(epi__udp_door *door);

/* Do two listeners, one of which may have taken the other's place, have the
 * same UDP port? */
int epi__udp_same_port(const epi__listener *a, const epi__listener *b);

/* The socket of a worker at a listener's UDP port, whichever listener has that
 * now; -1: none has. It is the worker's until its doors change. */
int epi__udp_door_fd(const epi__worker *worker, const epi__listener *listener);

#endif
