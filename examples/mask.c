/* mask.c: a bridging function as a shared object, which a proxy loads:
 *
 *     cc -shared -fPIC -o mask.so mask.c $(pkg-config --cflags --libs epi)
 *     epi-proxy --listen tcp://127.0.0.1:8007=127.0.0.1:7 --filter ./mask.so:X
 *
 * Digits become X, or # without an argument, in both directions. */
#include <epi/epi.h>

#include <string.h>

static int on_data(epi_pipe *pipe, int direction, const void *data, size_t len,
                   void *user) {
  const char *from = data, *mask = user;
  char out[4096];
  int error = 0;

  while (len && !error) {
    size_t part = len < sizeof out ? len : sizeof out;

    for (size_t i = 0; i < part; i++) {
      out[i] = from[i] >= '0' && from[i] <= '9' ? *mask : from[i];
    }
    error = epi_pipe_write(pipe, direction, out, part);
    from += part;
    len -= part;
  }
  return error;
}

/* The number is EPI_FILTER_INTERFACE's: a proxy with another one says so and
 * does not load it. */
EPI_API int epi_filter_entry_1(epi_filter **out, const char *args);

int epi_filter_entry_1(epi_filter **out, const char *args) {
  static char masks[256]; /* one for each argument, for all filters */
  unsigned char mask = *args ? (unsigned char)*args : '#';
  epi_filter *filter = NULL;
  int error;

  if (strlen(args) > 1) {
    return EPI_EINVAL;
  }
  error = epi_filter_new(&filter, "mask");
  if (error) {
    return error;
  }
  masks[mask] = (char)mask;
  epi_filter_on_data(filter, on_data, &masks[mask]);
  *out = filter;
  return 0;
}
