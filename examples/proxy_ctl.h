/* proxy_ctl.h: epi-proxy ctl, which speaks with a proxy that runs. */
#ifndef PROXY_CTL_H
#define PROXY_CTL_H

#include <epi/epi.h>

enum {
  EXIT_NO = 1, /* the proxy says no, or does not answer */
};

/* Serve admins at a path, NULL for none; what they want to be read again is, as
 * at SIGHUP. Returns 0 or EXIT_USAGE after a message. */
int ctl_serve(epi_engine *engine, const char *path);

/* Run `epi-proxy ctl`; argv[0] is "ctl". Returns an exit code. */
int proxy_ctl(int argc, char **argv);

/* ---- proxy_ctl_words.c: a command line as a request ---- */

/* A request as it grows; bad: out of memory. */
typedef struct ctl_request {
  char *text;
  size_t len, room;
  int bad;
} ctl_request;

/* Make the request that words ask for. Returns 0 or EXIT_USAGE after a
 * message. */
int ctl_request_make(ctl_request *out, int count, char **words);

#endif
