/* proxy_upgrade.h: listening sockets that epi-proxy inherits, from a service
 * manager or from the process that it takes over from, and passes on. */
#ifndef PROXY_UPGRADE_H
#define PROXY_UPGRADE_H

#include "proxy_heir.h"
#include "proxy_options.h"

#include <sys/types.h>

/* How the program was started, and whom it tells that it is ready. */
typedef struct upgrade {
  char **argv, **envp; /* with room for three more variables */
  char **own;          /* the arguments where the system shows them */
  size_t variables;
  int ready;        /* a pipe's end, or -1 */
  heir_maker maker; /* in a sandbox */
} upgrade;

/* Remember how the program was started, for as long as it runs; before anything
 * overwrites passwords in its arguments. Returns 0 or EXIT_USAGE after a
 * message. */
int upgrade_remember(upgrade *out, char **argv);

/* Have another process ready to start the program anew, because this one will
 * be in a sandbox (proxy_heir.h): while there is one thread, and nothing is
 * open that is secret. Returns 0 or EXIT_USAGE after a message. */
int upgrade_before_sandbox(upgrade *how);

/* Give the engine the sockets that this process was started with: LISTEN_PID
 * and LISTEN_FDS, as systemd has them. Returns 0 or EXIT_USAGE after a message.
 */
int upgrade_inherit(upgrade *how, epi_engine *engine);

/* The program ends: so does what upgrade_before_sandbox() has made. */
void upgrade_end(upgrade *how);

/* Tell the process that started this one to take over that it may go. */
void upgrade_ready(upgrade *how);

/* Start the program anew with the engine's sockets, and wait until it is ready.
 * TERM and INT end the waiting, and stay pending. Returns its process; or 0
 * after a message, and there is none. */
pid_t upgrade_start(const upgrade *how, const epi_engine *engine);

#endif
