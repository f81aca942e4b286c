/* os.h: what libepi asks of Linux, with its own types and errors. */
#ifndef EPI__OS_H
#define EPI__OS_H

#include "epi/addr.h"
#include "epi/error.h"

#include <pthread.h>

/* ---- sockets: all are non-blocking and close on exec ---- */

/* Listen on an address. shared is 1 to let sockets of this process share the
 * port; 0 fails if anybody has it, EPI_EBUSY. Returns 0, EPI_EBUSY, EPI_EPERM
 * or EPI_ESYS. */
int epi__sock_listen(const epi_addr *addr, int shared, int *out);

/* Let a listener take the data of up to queue SYNs at once (TCP Fast Open), if
 * the system is set to it. Returns 0 or EPI_ESYS. */
int epi__sock_accept_fast(int listener, int queue);

/* Take a connection. Returns 0; EPI_ENOENT if none waits; EPI_ELIMIT if this
 * process or the system is out of descriptors or memory; EPI_ECLOSED if the
 * socket does not listen any more; EPI_ESYS for a connection that is gone
 * already. */
int epi__sock_accept(int listener, int *out, epi_addr *peer);

/* Start to connect; the outcome is known when the socket is writable. A mark
 * of 0 sets none; one that may not be set is left out. Returns 0, or EPI_ESYS
 * with errno as connect() left it. */
int epi__sock_connect(const epi_addr *addr, uint32_t mark, int *out);

/* Mark what a socket sends; 0 does nothing, nor does a missing privilege. */
void epi__sock_mark(int fd, uint32_t mark);

/* The same in two steps, so that the socket can be told more in between:
 * epi__sock_new() makes it, with multipath 1 for MPTCP if the kernel has it;
 * epi__sock_begin() starts to connect. With fast, as much of data goes along in
 * the SYN as TCP Fast Open allows now, and *sent says how much; fast and sent
 * may be NULL and 0. Nothing is sent twice: if the host leaves the SYN's data
 * alone, the kernel sends it again. epi__sock_begin() returns as
 * epi__sock_connect(), and leaves the socket open. */
int epi__sock_new(const epi_addr *addr, uint32_t mark, int multipath, int *out);
int epi__sock_begin(int fd, const epi_addr *addr);
int epi__sock_begin_fast(int fd, const epi_addr *addr, const void *data,
                         size_t len, size_t *sent);

/* Has a connection that was begun come about already? What data there is goes
 * along if so; *sent says how much. Returns 1; 0: not yet; or EPI_ESYS, with an
 * errno as epi__sock_outcome() has it, and the socket stays open. */
int epi__sock_is_through(int fd, const void *data, size_t len, size_t *sent);

/* The outcome of connecting: 0 or an errno; ETIME if a router said that the
 * TTL had expired, EACCES if its rules forbid the connection, which only
 * sockets that keep errors can tell. */
int epi__sock_outcome(int fd);

/* 1 if a socket is connected, and its peer has not ended the connection. */
int epi__sock_is_open(int fd);

/* ---- socket_offer.c: listening for a client's sake ---- */

typedef struct epi__offer {
  int backlog;   /* connections that may wait */
  int fastopen;  /* 1: take data that comes along with a SYN */
  int multipath; /* 1: take multipath TCP too, where the kernel has it */
} epi__offer;

/* Listen. Returns 0; EPI_EBUSY: the port is taken; EPI_ENOENT: this machine has
 * no such address; EPI_EPERM or EPI_ESYS. */
int epi__sock_offer(const epi_addr *addr, const epi__offer *how, int *out);

/* Two descriptors for a further user of a listening socket: *copy to accept
 * with, and *watch, which is readable when *copy has something to accept. A
 * loop must not watch the copy itself: the kernel would go on to report it when
 * it was closed, while others have the socket, by a number that means another
 * file by then. Returns 0, or EPI_ELIMIT. */
int epi__sock_share(int fd, int *copy, int *watch);

/* Stop listening, whoever else has a descriptor of the socket. */
void epi__sock_unlisten(int fd);

/* The address by which this machine reaches a host, port 0. Returns 0, or
 * EPI_ESYS if it does not. */
int epi__sock_toward(const epi_addr *host, epi_addr *out);

/* ---- socket_inherit.c: sockets that another program has made ---- */

/* A descriptor of its own for a TCP socket that listens, or a UDP socket, set
 * as sockets of this process are; what is common to all of its descriptors
 * changes with it. *datagrams is 1 for UDP. Returns 0, EPI_EINVAL (it is
 * neither) or EPI_ELIMIT. */
int epi__sock_inherit(int fd, int *datagrams, int *out);

/* A further descriptor of a socket. Returns 0 or EPI_ELIMIT. */
int epi__sock_copy(int fd, int *out);

/* ---- sock_stack.c: how a socket, of TCP or UDP, treats IP and TCP ---- */

/* Set EPI_STACK_TOS, _TTL or _NO_FRAGMENT of stack.h. Returns 0; EPI_ESYS, and
 * what was in force stays; or EPI_EINVAL (no such option). */
int epi__sock_set_stack(int fd, int option, int value);

/* What is in force, or EPI_ENOENT (it cannot be known) or EPI_EINVAL. */
int epi__sock_stack(int fd, int option);

/* 1 if a connection is carried by MPTCP. */
int epi__sock_is_multipath(int fd);

/* Keep what ICMP says of a socket in its error queue; keep 0 ends that. kind is
 * the socket's, EPI_ADDR_IPV4 or EPI_ADDR_IPV6. To be ended once connected: a
 * kept error also ends a connection that would go on. */
void epi__sock_keep_errors(int fd, int kind, int keep);

/* Read all errors that were kept: the last that says more than the socket's
 * own, ETIME (a TTL expired) or EACCES (a router's rule forbids it); else 0. */
int epi__sock_kept_error(int fd);

/* ---- addresses, bytes, ends ---- */

/* The addresses of a socket, and of what it is connected to. Return 0 or
 * EPI_ESYS. */
int epi__sock_local(int fd, epi_addr *out);
int epi__sock_peer(int fd, epi_addr *out);

/* Where a redirected connection wanted to go. Returns 0, or EPI_ENOENT if it
 * was not redirected. */
int epi__sock_original(int fd, epi_addr *out);

/* Read and write. Return a count; 0 is the end of data (reading) or no room
 * (writing); EPI_ENOENT: nothing there now; EPI_ECLOSED: the peer is gone. */
ptrdiff_t epi__sock_read(int fd, void *buf, size_t size);
ptrdiff_t epi__sock_write(int fd, const void *data, size_t len);

/* Write a block and another one right behind it, at once. Returns as
 * epi__sock_write(), the count over both. */
ptrdiff_t epi__sock_write_two(int fd, const void *first, size_t first_len,
                              const void *second, size_t second_len);

/* Let small writes go out at once even if earlier ones are under way. Those
 * that a listener takes do so anyway. */
void epi__sock_hurry(int fd);

/* No more will be written. */
void epi__sock_end(int fd);

/* Close; reset is 1 to let the peer see that something went wrong. */
void epi__sock_close(int fd, int reset);

/* ---- the rest ---- */

/* Read a whole file of at most max bytes; "-" is standard input. secret is 1 to
 * refuse a file that others than its owner and group can read, and standard
 * input, and to take `env:NAME` for a variable of the environment; no copy of
 * it stays behind but *out, and that variable. Free *out with epi__free().
 * Returns 0, EPI_ENOENT, EPI_EPERM, EPI_ELIMIT, EPI_ETIMEOUT (a pipe that
 * nobody writes to), EPI_ESYS or EPI_ENOMEM. */
int epi__file_read(const char *path, size_t max, int secret, char **out,
                   size_t *len);

/* ---- secret.c ---- */

/* Is it `env:NAME`? */
int epi__secret_is_variable(const char *source);

/* The value of its variable, as epi__file_read() gives a file. */
int epi__secret_variable(const char *source, size_t max, char **out,
                         size_t *len);

/* What programs that are started get of the environment: its entries, with room
 * for some more and a NULL behind them. Free with epi__free(). NULL when out of
 * memory. */
const char **epi__environment_without_secrets(size_t room, size_t *count);

/* ---- system.c ---- */

/* Why a file could not be opened, by errno: valid until the next call. */
const char *epi__open_error(const char *path);

/* What a file is at the moment: another one, or other contents, have another
 * mark. One that is not there, for a moment perhaps, has an empty one. */
typedef struct epi__file_mark {
  int64_t device, number, size, seconds, nanoseconds;
} epi__file_mark;

void epi__file_mark_take(epi__file_mark *out, const char *path);
int epi__file_mark_equal(const epi__file_mark *a, const epi__file_mark *b);

/* Look a name up, blocking; the first address, with addr's port. Returns 0 or
 * EPI_ERESOLVE. */
int epi__resolve_now(epi_addr *out, const epi_addr *addr);

/* Connect once, blocking for at most timeout_ms, and close: 0 if somebody took
 * the connection, else EPI_ETIMEOUT or EPI_ESYS. */
int epi__sock_probe(const epi_addr *addr, int64_t timeout_ms);

/* Load a shared object, whose path has a /. Returns 0, EPI_ENOENT, EPI_EPERM
 * (everybody can change it), EPI_EINVAL (it is none, or does not fit) or
 * EPI_ESYS. */
int epi__object_load(void **out, const char *path);
void epi__object_unload(void *object);

/* What an object has under a name, or NULL. */
void *epi__object_find(void *object, const char *name);

/* Send a text to the service manager that NOTIFY_SOCKET in the environment
 * names. Returns 1, 0 if it names none, or EPI_ESYS. */
int epi__notify(const char *text);

void epi__sleep(int64_t ms);

/* Start a thread in which all signals are blocked: those of the embedding
 * program are for its own threads. The caller joins it. Returns 0 or
 * EPI_ESYS. */
int epi__thread_start(pthread_t *out, void *(*run)(void *user), void *user);

/* Let the other threads go first from now on, wherever the system can tell. */
void epi__thread_be_nice(void);

/* Milliseconds on a clock that never steps. */
int64_t epi__clock_steady(void);

/* The same clock in nanoseconds. */
int64_t epi__clock_fine(void);

/* A condition that waits until a time of CLOCK_MONOTONIC: a clock that is set
 * must neither keep a thread waiting nor wake it. */
void epi__cond_init(pthread_cond_t *cond);

/* Seconds since 1970 UTC; and as of what the steady clock said then, by what
 * the wall clock says now: it may have been set since. */
int64_t epi__clock_wall(void);
int64_t epi__clock_wall_at(int64_t steady_ms);

/* Raise the descriptor limit as far as it goes; returns it. */
int64_t epi__fd_limit(void);

/* What this process uses: descriptors, and bytes of memory. Each is -1 if the
 * system does not say. Threads: any. */
typedef struct epi__usage {
  int64_t fds, fds_most;
  int64_t resident, mapped;
  int64_t cpu_us; /* of all threads, so far */
} epi__usage;

epi__usage epi__process_usage(void);

/* Open what that reads, for a process that gives up opening files later. */
void epi__process_prepare(void);

/* Have the allocator give the memory back that it keeps for later. */
void epi__memory_trim(void);

/* Processors this process may use, at least 1. */
int epi__cpu_count(void);

#endif
