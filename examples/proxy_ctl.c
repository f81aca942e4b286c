/* proxy_ctl.c: epi-proxy ctl, which speaks with a proxy that runs. */
#include "proxy_ctl.h"

#include "proxy_options.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  TIMEOUT_MS = 60000,
};

static const char help[] =
    "Usage: epi-proxy ctl [--admin PATH] [--json] [--timeout MS] COMMAND\n"
    "Ask and tell a proxy that runs, at the socket of its --admin, or of "
    "$EPI_ADMIN.\n"
    "\n"
    "  status                  how it is\n"
    "  flows [MATCH] [--start N] [--most N]   the flows that are open\n"
    "  explain FLOW            why a flow may be, and what it goes through\n"
    "  kill MATCH|--all --reason TEXT         end flows\n"
    "                          MATCH is all of: --flow N, --source, --dest "
    "and\n"
    "                          --address (address, range or name), --rule ID,\n"
    "                          --user NAME, --application NAME\n"
    "  model show              the model in force\n"
    "  model plan FILE [--most N] [--changes]\n"
    "                          what a model would cut, open and change\n"
    "  model set FILE          judge by it; - is standard input\n"
    "  settings [set NAME N]   as options are called, without --\n"
    "  log [none|error|note|debug]\n"
    "  listeners [add URL | remove URL | replace URL URL]\n"
    "  instances               of functions at endpoints\n"
    "  metrics                 as a text for Prometheus\n"
    "  drain MS                take nobody, let flows finish for so long\n"
    "  reload                  read the files again, as by HUP\n"
    "  raw REQUEST             a JSON object (doc/admin.md)\n"
    "\n"
    "Exit codes: 0 fine, 1 the proxy says no or does not answer, 2 usage or "
    "bad\ninput.\n";

/* An admin wants what SIGHUP does. */
static void on_reload(void *user) {
  (void)user;
  kill(getpid(), SIGHUP);
}

int ctl_serve(epi_engine *engine, const char *path) {
  epi_engine_on_reload(engine, on_reload, NULL);
  return path && epi_engine_serve_admin(engine, path)
             ? complain("--admin", epi_error_detail())
             : 0;
}

typedef struct ctl_options {
  const char *path;
  int form;
  int64_t timeout_ms;
  int done;
} ctl_options;

static int read_timeout(ctl_options *out, const char *text) {
  char *end;

  errno = 0;
  out->timeout_ms = strtoll(text, &end, 10);
  return errno || *end || out->timeout_ms < 1 || out->timeout_ms > INT32_MAX
             ? complain("--timeout needs milliseconds, from 1 on, not", text)
             : 0;
}

/* The options before the command. Returns 0 or EXIT_USAGE. */
static int read_options(ctl_options *out, int argc, char **argv) {
  static const struct option options[] = {
      {"admin", required_argument, NULL, 'a'},
      {"json", no_argument, NULL, 'j'},
      {"timeout", required_argument, NULL, 't'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  int option, result = 0;

  opterr = 0;
  while (!result &&
         (option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
    switch (option) {
    case 'a':
      out->path = optarg;
      break;
    case 'j':
      out->form = EPI_FORM_JSON;
      break;
    case 't':
      result = read_timeout(out, optarg);
      break;
    case 'h':
      out->done = 1;
      break;
    default:
      result = complain(option == ':' ? "ctl: an option needs a value"
                                      : "ctl: no such option (see ctl --help)",
                        argv[optind - 1]);
    }
  }
  return result;
}

static int print(const char *text, int form) {
  fputs(text, stdout);
  if (form == EPI_FORM_JSON) {
    putchar('\n');
  }
  return fflush(stdout) || ferror(stdout)
             ? complain("standard output", strerror(errno))
             : 0;
}

/* What was wrong with the request is this side's mistake. */
static int say_no(int code, epi_report *problems) {
  size_t count = epi_report_count(problems);

  for (size_t i = 0; i < count; i++) {
    complain("ctl", epi_report_line(problems, i));
  }
  if (!count) {
    complain("ctl", epi_error_detail());
  }
  return code == EPI_EINVAL || code == EPI_EMODEL ? EXIT_USAGE : EXIT_NO;
}

static int ask(const ctl_options *options, const char *request) {
  epi_report *problems = NULL;
  char *answer = NULL;
  int result = epi_report_new(&problems);

  if (!result) {
    result = epi_admin_ask(options->path, request, options->timeout_ms,
                           options->form, problems, &answer);
  }
  result = result ? say_no(result, problems) : print(answer, options->form);
  epi_free(answer);
  epi_report_free(problems);
  return result;
}

int proxy_ctl(int argc, char **argv) {
  ctl_options options = {getenv("EPI_ADMIN"), EPI_FORM_TEXT, TIMEOUT_MS, 0};
  ctl_request request = {0};
  int result = read_options(&options, argc, argv);

  if (result) {
    return result;
  }
  if (options.done) {
    return print(help, EPI_FORM_TEXT);
  }
  if (optind == argc) {
    return complain("ctl needs a command (see ctl --help)", NULL);
  }
  result = ctl_request_make(&request, argc - optind, argv + optind);
  if (!result && !options.path) {
    result =
        complain("ctl", "which proxy? give --admin PATH, or set EPI_ADMIN");
  }
  if (!result) {
    result = ask(&options, request.text);
  }
  free(request.text);
  return result;
}
