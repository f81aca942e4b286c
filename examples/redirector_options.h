/* redirector_options.h: what the command line of epi-redirector says. */
#ifndef REDIRECTOR_OPTIONS_H
#define REDIRECTOR_OPTIONS_H

#include <epi/epi.h>

#define REDIRECTOR "epi-redirector"

enum {
  COMMAND_RUN,
  COMMAND_STATUS,
  COMMAND_STOP,
  COMMAND_DONE, /* --help or --version was answered */
};

/* Options that become rules. */
enum {
  OPTION_PORT = 256,
  OPTION_TO,
  OPTION_EXCEPT,
  OPTION_EXCEPT_UID,
};

typedef struct redirector_options {
  int command;
  char *proxy;       /* the URL, with its password */
  char *proxy_shown; /* the URL for messages */
  epi_addr proxy_addr;
  int listen_port;
  int backend;
  int workers;         /* 0: as many as the engine likes */
  int warm, warm_idle; /* -1, 0: as the engine likes */
  int loopback, dry_run, log_level, fast_open;
  const char *application, *purpose, *dataset;
  const char *user, *sandbox;
  int no_sandbox;
  int rule_count; /* --port, --to, --except and --except-uid as they came */
  struct rule {
    int option;
    const char *value;
  } * rules;
} redirector_options;

/* Print a line to standard error with the program's name in front. Returns 2,
 * the exit code for usage and bad input. */
int say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Read the command line; a password in it is overwritten. Returns 0, or the
 * exit code after a message. */
int options_read(redirector_options *out, int argc, char **argv);
void options_clear(redirector_options *options);

/* Read the value of an option, a decimal number. Returns 0, or the exit code
 * after a message. */
int read_number(const char *option, const char *text, int lowest, int highest,
                int *out);

#endif
