/* proxy_heir.h: the process that takes epi-proxy's place (proxy_upgrade.h), and
 * the one that starts it where a sandbox forbids to run programs. */
#ifndef PROXY_HEIR_H
#define PROXY_HEIR_H

#include <signal.h>
#include <sys/types.h>

enum {
  HEIR_SOCKETS_MAX = 2048,
};

/* The process that starts heirs: where to ask it, and which it is. */
typedef struct heir_maker {
  int fd; /* -1: there is none */
  pid_t pid;
} heir_maker;

typedef struct heir {
  char **argv, **envp; /* with room for three more variables */
  char **own; /* the arguments that others see of this process, which a copy of
                 it is to forget; or NULL */
  size_t variables;              /* that are in envp */
  int fds[HEIR_SOCKETS_MAX + 1]; /* the pipe that it is ready by is the last */
  int count;
  sigset_t mask;                        /* that it starts with */
  char pid[32], sockets[32], ready[32]; /* variables of its own */
} heir;

/* Start a process with the descriptors. Returns it, or -1 with errno. */
pid_t heir_start(heir *next);

/* Fork a process that does that for this one, once it is asked to, with the
 * rights and the files that it has now: what next has but for descriptors is
 * settled then. It ends when this process does. Returns 0, or -1 with errno. */
int heir_maker_start(heir_maker *out, const heir *next);

/* Have an heir started with the descriptors. Returns it, or -1 with errno. */
pid_t heir_maker_ask(const heir_maker *maker, const heir *next);

/* End the last heir that was started, and wait until it is gone. */
void heir_maker_kill(const heir_maker *maker);

/* End it, but no heir. */
void heir_maker_end(heir_maker *maker);

#endif
