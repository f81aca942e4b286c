/* load.h: the load generator of tests/bench: what its files share.
 *
 * One thread, one epoll. A client asks for one thing at a time: it connects,
 * gets through the proxy's handshake, sends an HTTP request, and is done when
 * the response is whole. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_DIRECT 0 /* or through a reverse proxy: the same to a client */
#define LOAD_SOCKS5 5
#define LOAD_SOCKS6 6

/* What is asked for on the command line. */
typedef struct load_plan {
  struct sockaddr_in to;  /* whom the requests are for */
  struct sockaddr_in via; /* whom to connect to */
  int method;             /* LOAD_DIRECT and so on */
  unsigned clients;
  uint64_t requests;   /* end after so many; 0: by time alone */
  uint64_t warm_ns;    /* what happens before is not counted */
  uint64_t measure_ns; /* and for so long after that it is */
  double rate; /* requests per second; 0: as fast as they are answered */
  int keep_alive;
  int bulk;      /* responses without end; what counts is bytes */
  int idle;      /* one request each, then nothing until standard input ends */
  int fast_open; /* data in the SYN, where the kernel has a cookie */
  int ask_fast_open; /* the proxy shall do so, too; SOCKS 6 */
  int say_times;     /* print every time */
} load_plan;

/* What came of it. */
typedef struct load_result {
  uint64_t requests, errors, bytes;
  uint64_t *times; /* ns, one for each request */
  size_t times_room;
  char first_error[96];
} load_result;

/* ---- load_times.c ---- */

uint64_t load_now_ns(void);

/* Remember the time of a request; those after the first 4 million are not. */
void load_times_add(load_result *result, uint64_t ns);

/* Order them, for load_times_at(). */
void load_times_sort(load_result *result);

/* The time in ms that this part (0 to 1) of the requests stayed within; 0 if
 * there were none. */
double load_times_at(const load_result *result, double part);
double load_times_mean(const load_result *result);

/* ---- load_handshake.c ---- */

/* What a client waits for. */
enum load_stage {
  LOAD_METHOD,     /* SOCKS 5: the choice of a method */
  LOAD_REPLY5,     /* SOCKS 5: the reply to its request */
  LOAD_AUTH_REPLY, /* SOCKS 6: the authentication reply */
  LOAD_REPLY6,     /* SOCKS 6: the operation reply */
  LOAD_RESPONSE    /* HTTP */
};

#define LOAD_OUT_MAX 512

/* The first stage of a connection. */
enum load_stage load_stage_first(const load_plan *plan);

/* Write what a client sends when it enters a stage, at most LOAD_OUT_MAX
 * bytes; how many. SOCKS 6 sends everything with its request, the rest waits
 * for the proxy as SOCKS 5 asks. */
size_t load_stage_write(const load_plan *plan, enum load_stage stage,
                        unsigned char *out);

/* Read the message that a stage waits for: the bytes used, 0 while it is not
 * all there, -1 if it is a refusal or nonsense. */
ptrdiff_t load_stage_read(enum load_stage stage, const unsigned char *in,
                          size_t len);

/* ---- load_client.c ---- */

typedef struct load_client {
  int fd; /* -1: not connected */
  enum load_stage stage;
  int busy;         /* a request is on its way */
  int awaits_write; /* epoll tells when it can write */
  uint64_t since;   /* when the request was due */
  uint64_t body_left;
  int in_body;
  size_t out_len, out_sent, have;
  unsigned char out[LOAD_OUT_MAX];
  unsigned char in[2048];
} load_client;

#define LOAD_PENDING 0
#define LOAD_DONE    1 /* the response is whole */
#define LOAD_FAILED  2 /* the connection is closed, *why says why */

/* Begin a request that was due at a time, on a new connection or, with
 * keep_alive, on the open one. Returns as load_client_ready(). */
int load_client_start(load_client *client, const load_plan *plan, int epoll,
                      uint64_t due, const char **why);

/* Go on after epoll; body bytes are added to *bytes. */
int load_client_ready(load_client *client, const load_plan *plan, int epoll,
                      uint64_t *bytes, const char **why);

void load_client_close(load_client *client);

/* ---- load_run.c ---- */

/* Run a plan to its end. 0, or -1 with a message on standard error. */
int load_run(const load_plan *plan, load_result *result);

#endif
