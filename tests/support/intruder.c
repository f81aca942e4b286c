/* intruder.c: a filter that has been taken over, for flow tests: it tries to do
 * what a client says, a word and what it is about, and answers with an errno.
 *
 *     read PATH   write PATH   run PATH   socket DOMAIN   enter PID */
#include <epi/epi.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int outcome(int result) {
  int error = result < 0 ? errno : 0;

  if (result >= 0) {
    close(result);
  }
  return error;
}

static int attempt(const char *what, char *about) {
  char *argv[] = {about, NULL};

  if (!strcmp(what, "read")) {
    return outcome(open(about, O_RDONLY | O_CLOEXEC));
  }
  if (!strcmp(what, "write")) {
    return outcome(open(about, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  if (!strcmp(what, "run")) {
    return execv(about, argv) ? errno : 0;
  }
  if (!strcmp(what, "socket")) {
    return outcome(socket(atoi(about), SOCK_RAW | SOCK_CLOEXEC, 0));
  }
  return ptrace(PTRACE_ATTACH, atoi(about), NULL, NULL) ? errno : 0;
}

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  char what[16] = "", about[256] = "", line[300] = "", answer[32];

  (void)user;
  if (direction != EPI_FORWARD) {
    return epi_pipe_write(pipe, direction, data, len);
  }
  memcpy(line, data, len < sizeof line - 1 ? len : sizeof line - 1);
  if (sscanf(line, "%15s %255s", what, about) != 2) {
    return EPI_EINVAL;
  }
  snprintf(answer, sizeof answer, "%d\n", attempt(what, about));
  return epi_pipe_write(pipe, EPI_BACKWARD, answer, strlen(answer));
}

EPI_API int epi_filter_entry_1(epi_filter **out, const char *args);

int epi_filter_entry_1(epi_filter **out, const char *args) {
  epi_filter *filter = NULL;
  int error = epi_filter_new(&filter, "intruder");

  (void)args;
  if (!error) {
    epi_filter_on_data(filter, on_data, NULL);
    *out = filter;
  }
  return error;
}
