/* upper.c: a bridging function of one's own, in a program of one's own:
 *
 *     cc -D_GNU_SOURCE -o upper upper.c $(pkg-config --cflags --libs epi)
 *     ./upper tcp://127.0.0.1:8007=127.0.0.1:7
 *
 * What clients send arrives in upper case; what comes back stays as it is. */
#include <epi/epi.h>

#include <signal.h>
#include <stdio.h>

/* Data comes in pieces of any size: a function that works byte by byte need
 * not care. One that looks for words has to keep what is not complete. */
static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  const unsigned char *from = data;
  unsigned char out[4096];
  int error = 0;

  (void)user;
  if (direction == EPI_BACKWARD) {
    return epi_pipe_write(pipe, direction, data, len);
  }
  while (len && !error) {
    size_t part = len < sizeof out ? len : sizeof out;

    for (size_t i = 0; i < part; i++) {
      int small = from[i] >= 'a' && from[i] <= 'z';

      out[i] = (unsigned char)(small ? from[i] - 'a' + 'A' : from[i]);
    }
    error = epi_pipe_write(pipe, direction, out, part);
    from += part;
    len -= part;
  }
  return error;
}

static void on_log(int level, const char *line, void *user) {
  (void)user;
  if (level <= EPI_LOG_NOTE) {
    fprintf(stderr, "%s\n", line);
  }
}

int main(int argc, char **argv) {
  epi_filter *filter = NULL;
  epi_engine *engine = NULL;
  sigset_t signals;
  int error, got;

  if (argc != 2) {
    fprintf(stderr, "usage: upper LISTENER, as tcp://127.0.0.1:8007=HOST:7\n");
    return 2;
  }
  /* Before any thread is there: the engine's workers inherit it. */
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  if ((error = epi_filter_new(&filter, "upper")) ||
      (error = epi_engine_new(&engine))) {
    goto done;
  }
  epi_filter_on_data(filter, on_data, NULL);
  epi_engine_on_log(engine, on_log, NULL);
  if ((error = epi_engine_add_filter(engine, filter)) ||
      (error = epi_engine_listen(engine, argv[1])) ||
      (error = epi_engine_start(engine))) {
    goto done;
  }
  sigwait(&signals, &got);
done:
  if (error) {
    fprintf(stderr, "upper: %s: %s\n", epi_strerror(error), epi_error_detail());
  }
  epi_engine_free(engine); /* stops it, too */
  epi_filter_free(filter);
  return error ? 2 : 0;
}
