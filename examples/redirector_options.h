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

typedef struct redirector_options {
  int command;
  char *proxy;       /* the URL, with its password */
  char *proxy_shown; /* the URL for messages */
  epi_addr proxy_addr;
  int listen_port;
  int backend;
  int workers; /* 0: as many as the engine likes */
  int loopback, dry_run, verbose;
  const char *application, *purpose, *dataset;
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

/* Make the redirect that the options ask for, with the proxy's addresses as
 * exceptions. Returns 0, or the exit code after a message. */
int options_redirect(const redirector_options *options, int port,
                     epi_redirect **out);

/* Write what is intercepted, as in "TCP to ports 80, 443 of 10.0.0.0/8". */
void options_describe(const redirector_options *options, char *buf,
                      size_t size);

#endif
