/* proxy_passwd.c: `epi-proxy passwd`: a user's line in a users file. */
#include "proxy_passwd.h"

#include "proxy_options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LINE = EPI_LOGIN_MAX + 2 }; /* with its end and NUL */

static const char usage[] =
    "Usage: epi-proxy passwd FILE USER\n"
    "       epi-proxy passwd --delete FILE USER\n"
    "Put a user into the users file of a listener, or give him another "
    "password: it is\n"
    "asked for twice on a terminal, else it is the first line of standard "
    "input. Or\n"
    "take him out. A proxy that runs reads the file again.\n";

static volatile sig_atomic_t stopped; /* the signal that did it, or 0 */

static void on_signal(int number) {
  stopped = number;
}

/* One line of standard input, without its end. Byte by byte: no buffer keeps a
 * copy, and what follows is left. Returns its length, -1 after a message. */
static ptrdiff_t read_line(char line[LINE]) {
  size_t len = 0;
  char byte;

  for (;;) {
    ssize_t got = read(STDIN_FILENO, &byte, 1);

    if (got < 0) {
      if (!stopped) {
        complain("standard input", strerror(errno));
      }
      return -1;
    }
    if (!got || byte == '\n') {
      break;
    }
    if (!byte || len + 2 > LINE) {
      complain("a password has 1 to 255 bytes, and no NUL", NULL);
      return -1;
    }
    line[len++] = byte;
  }
  if (len && line[len - 1] == '\r') {
    len--;
  }
  line[len] = '\0';
  return (ptrdiff_t)len;
}

static ptrdiff_t ask(const char *what, char line[LINE]) {
  ptrdiff_t len;

  fputs(what, stderr);
  len = read_line(line);
  fputc('\n', stderr); /* that of the user was not shown */
  return len;
}

static int ask_twice(char password[LINE]) {
  char again[LINE] = "";
  int result = 0;

  if (ask("Password: ", password) < 0 || ask("Once more: ", again) < 0) {
    result = EXIT_USAGE;
  } else if (strcmp(password, again)) {
    result = complain("the passwords differ: nothing was changed", NULL);
  }
  epi_wipe(again, sizeof again);
  return result;
}

/* A signal must not leave a terminal behind that shows nothing. */
static int ask_unseen(char password[LINE]) {
  static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  struct sigaction catch = {.sa_handler = on_signal};
  struct sigaction before[sizeof ends / sizeof *ends];
  struct termios seen, unseen;
  int result;

  if (tcgetattr(STDIN_FILENO, &seen)) {
    return complain("the terminal", strerror(errno));
  }
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    sigaction(ends[i], &catch, &before[i]);
  }
  unseen = seen;
  unseen.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
  unseen.c_lflag |= ICANON;
  result = tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen)
               ? complain("the terminal", strerror(errno))
               : ask_twice(password);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    sigaction(ends[i], &before[i], NULL);
  }
  if (stopped) {
    raise(stopped);
  }
  return result;
}

static int set(const char *path, const char *user) {
  char password[LINE] = "";
  int result;

  if (isatty(STDIN_FILENO)) {
    result = ask_unseen(password);
  } else {
    result = read_line(password) < 0 ? EXIT_USAGE : 0;
  }
  if (!result && epi_users_set(path, user, password)) {
    result = complain(path, epi_error_detail());
  }
  epi_wipe(password, sizeof password);
  return result;
}

int proxy_passwd(int argc, char **argv) {
  int removes = argc > 1 && !strcmp(argv[1], "--delete");
  char **rest = argv + 1 + removes;

  if (argc == 2 && !strcmp(argv[1], "--help")) {
    return fputs(usage, stdout) == EOF || fflush(stdout)
               ? complain("standard output", strerror(errno))
               : 0;
  }
  if (argc - 1 - removes != 2 || *rest[0] == '-') {
    return complain("passwd needs FILE and USER (see passwd --help)", NULL);
  }
  if (!removes) {
    return set(rest[0], rest[1]);
  }
  return epi_users_remove(rest[0], rest[1])
             ? complain(rest[0], epi_error_detail())
             : 0;
}
