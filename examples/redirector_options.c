/* redirector_options.c: the command line of epi-redirector. */
#include "redirector_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: epi-redirector --proxy URL [OPTION]...   intercept until a signal\n"
    "       epi-redirector status           does one run, are there rules\n"
    "       epi-redirector stop             end it, remove all rules\n"
    "Send this node's TCP connections through a proxy.\n"
    "\n"
    "  --proxy URL           socks6://HOST:PORT or socks5://HOST:PORT, with\n"
    "                        ?credentials=FILE (a line user:password); over\n"
    "                        TLS with +tls, as epi-proxy --chain has it\n"
    "  --listen-port N       port of the redirector on loopback [42000];\n"
    "                        0: any that is free\n"
    "  --port N              intercept connections to this port only\n"
    "  --to CIDR             intercept connections to this range only\n"
    "  --except ADDR[:PORT]  leave connections to this address alone\n"
    "  --except-uid USER     leave connections of this user (id or name) "
    "alone\n"
    "  --application NAME    what the connections are for: sent along\n"
    "  --purpose NAME\n"
    "  --dataset NAME\n"
    "  --iptables            rules for iptables instead of nftables\n"
    "  --loopback            intercept connections to loopback as well\n"
    "  --dry-run             print the rules, change nothing\n"
    "  --workers N           event loops [number of processors]\n"
    "  --warm N              connections that each keeps to the proxy in "
    "use [8]\n"
    "  --warm-idle MS        how long it keeps one [8000]\n"
    "  --fast-open           ask the proxy for TCP Fast Open on the way on\n"
    "  --user NAME[:GROUP]   become this user once all is bound and read\n"
    "  --sandbox WORDS       what is given up then: capabilities, no-gain,\n"
    "                        no-dump, files, calls [all]; with require, or "
    "end\n"
    "  --no-sandbox          give nothing up\n"
    "  --verbose, --quiet    log details; only what goes wrong\n"
    "  --help, --version\n"
    "\n"
    "--port, --to, --except and --except-uid may be given many times.\n"
    "Exit codes: 0 fine, 1 the answer is no, 2 usage or bad input.\n";

enum {
  OPTION_LISTEN_PORT = OPTION_EXCEPT_UID + 1,
  OPTION_PROXY,
  OPTION_APPLICATION,
  OPTION_PURPOSE,
  OPTION_DATASET,
  OPTION_IPTABLES,
  OPTION_LOOPBACK,
  OPTION_DRY_RUN,
  OPTION_WORKERS,
  OPTION_WARM,
  OPTION_WARM_IDLE,
  OPTION_FAST_OPEN,
  OPTION_USER,
  OPTION_SANDBOX,
  OPTION_NO_SANDBOX,
  OPTION_VERBOSE,
  OPTION_QUIET,
  OPTION_HELP,
  OPTION_VERSION,
};

static const struct option names[] = {
    {"proxy", required_argument, NULL, OPTION_PROXY},
    {"listen-port", required_argument, NULL, OPTION_LISTEN_PORT},
    {"port", required_argument, NULL, OPTION_PORT},
    {"to", required_argument, NULL, OPTION_TO},
    {"except", required_argument, NULL, OPTION_EXCEPT},
    {"except-uid", required_argument, NULL, OPTION_EXCEPT_UID},
    {"application", required_argument, NULL, OPTION_APPLICATION},
    {"purpose", required_argument, NULL, OPTION_PURPOSE},
    {"dataset", required_argument, NULL, OPTION_DATASET},
    {"iptables", no_argument, NULL, OPTION_IPTABLES},
    {"loopback", no_argument, NULL, OPTION_LOOPBACK},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"warm", required_argument, NULL, OPTION_WARM},
    {"warm-idle", required_argument, NULL, OPTION_WARM_IDLE},
    {"fast-open", no_argument, NULL, OPTION_FAST_OPEN},
    {"user", required_argument, NULL, OPTION_USER},
    {"sandbox", required_argument, NULL, OPTION_SANDBOX},
    {"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

int say(const char *format, ...) {
  char line[1024]; /* written at once: the workers write lines of their own */
  va_list args;

  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  fprintf(stderr, REDIRECTOR ": %s\n", line);
  return 2;
}

int read_number(const char *option, const char *text, int lowest, int highest,
                int *out) {
  char *end;
  long number = strtol(text, &end, 10); /* LONG_MAX if it is too large */

  if (text[0] < '0' || text[0] > '9' || *end || number < lowest ||
      number > highest) {
    return say("--%s is a number from %d to %d, not '%s'", option, lowest,
               highest, text);
  }
  *out = (int)number;
  return 0;
}

/* Keep the URL of the proxy, find its host and port, and hide its password
 * from whoever lists processes. */
static int read_proxy(redirector_options *out, char *url) {
  char *host = strstr(url, "://");
  size_t len = strlen(url);
  char *end, *at, *address;
  int error;

  if (!host || out->proxy) {
    return say(out->proxy ? "more than one --proxy"
                          : "--proxy is SCHEME://HOST:PORT");
  }
  host += 3;
  end = host + strcspn(host, "?");
  at = memrchr(host, '@', (size_t)(end - host));
  out->proxy = strdup(url);
  out->proxy_shown = malloc(len + 4);
  address = at ? at + 1 : host;
  address = strndup(address, (size_t)(end - address));
  if (!out->proxy || !out->proxy_shown || !address) {
    free(address);
    return say("out of memory");
  }
  snprintf(out->proxy_shown, len + 4, "%.*s%s%.*s", (int)(host - url), url,
           at ? "***" : "", (int)(end - (at ? at : host)), at ? at : host);
  if (at) {
    say("others on this machine may have seen the proxy's password: "
        "?credentials=FILE is safer");
    memset(host, '*', (size_t)(at - host));
  }
  len = strlen(address);
  if (len && address[len - 1] == '/') {
    address[len - 1] = '\0';
  }
  error = epi_addr_parse(&out->proxy_addr, address, -1);
  free(address);
  return error ? say("--proxy %s: %s", out->proxy_shown, epi_error_detail())
               : 0;
}

static int read_option(redirector_options *out, int option) {
  switch (option) {
  case OPTION_PROXY:
    return read_proxy(out, optarg);
  case OPTION_LISTEN_PORT:
    return read_number("listen-port", optarg, 0, 65535, &out->listen_port);
  case OPTION_WORKERS:
    return read_number("workers", optarg, 1, 64, &out->workers);
  case OPTION_WARM:
    return read_number("warm", optarg, 0, 1024, &out->warm);
  case OPTION_WARM_IDLE:
    return read_number("warm-idle", optarg, 100, INT_MAX, &out->warm_idle);
  case OPTION_APPLICATION:
    out->application = optarg;
    return 0;
  case OPTION_PURPOSE:
    out->purpose = optarg;
    return 0;
  case OPTION_DATASET:
    out->dataset = optarg;
    return 0;
  case OPTION_USER:
    out->user = optarg;
    return 0;
  case OPTION_SANDBOX:
    out->sandbox = optarg;
    return 0;
  case OPTION_NO_SANDBOX:
    out->no_sandbox = 1;
    return 0;
  case OPTION_IPTABLES:
    out->backend = EPI_BACKEND_IPTABLES;
    return 0;
  case OPTION_FAST_OPEN:
    out->fast_open = 1;
    return 0;
  case OPTION_LOOPBACK:
    out->loopback = 1;
    return 0;
  case OPTION_DRY_RUN:
    out->dry_run = 1;
    return 0;
  case OPTION_VERBOSE:
    out->log_level = EPI_LOG_DEBUG;
    return 0;
  case OPTION_QUIET:
    out->log_level = EPI_LOG_ERROR;
    return 0;
  case OPTION_PORT:
  case OPTION_TO:
  case OPTION_EXCEPT:
  case OPTION_EXCEPT_UID:
    out->rules[out->rule_count].option = option;
    out->rules[out->rule_count++].value = optarg;
    return 0;
  default:
    out->command = COMMAND_DONE;
    if (option == OPTION_HELP) {
      fputs(help, stdout);
    } else {
      printf(REDIRECTOR " %s\n", epi_version());
    }
    return fflush(stdout) || ferror(stdout)
               ? say("standard output: %s", strerror(errno))
               : 0;
  }
}

static int read_command(redirector_options *out, int argc, char **argv) {
  const char *command = argv[optind];

  if (!command) {
    return out->proxy ? 0 : say("--proxy URL is missing; see --help");
  }
  if (!strcmp(command, "status")) {
    out->command = COMMAND_STATUS;
  } else if (!strcmp(command, "stop")) {
    out->command = COMMAND_STOP;
  } else {
    return say("no command '%s': there are status and stop", command);
  }
  return argc == 2 ? 0 : say("'%s' stands alone; see --help", command);
}

int options_read(redirector_options *out, int argc, char **argv) {
  int option;

  memset(out, 0, sizeof *out);
  out->listen_port = 42000;
  out->warm = -1;
  out->log_level = EPI_LOG_NOTE;
  out->backend = EPI_BACKEND_NFTABLES;
  out->rules = calloc((size_t)argc, sizeof *out->rules);
  if (!out->rules) {
    return say("out of memory");
  }
  opterr = 0; /* one line for each mistake, and it is ours */
  while ((option = getopt_long(argc, argv, ":", names, NULL)) != -1) {
    int error;

    if (option == '?' || option == ':') {
      return say("%s: %s; see --help", argv[optind - 1],
                 option == ':' ? "the value is missing" : "no such option");
    }
    error = read_option(out, option);
    if (error || out->command == COMMAND_DONE) {
      return error;
    }
  }
  return read_command(out, argc, argv);
}

void options_clear(redirector_options *options) {
  if (options->proxy) {
    epi_wipe(options->proxy, strlen(options->proxy));
  }
  free(options->proxy);
  free(options->proxy_shown);
  free(options->rules);
}
