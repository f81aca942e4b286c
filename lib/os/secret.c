/* secret.c: secrets from the environment, and who does not get them. */
#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE "env:"
#define PREFIX "EPI_SECRET_"

static int begins(const char *text, const char *with) {
  return !strncmp(text, with, strlen(with));
}

int epi__secret_is_variable(const char *source) {
  return begins(source, SOURCE);
}

int epi__secret_variable(const char *source, size_t max, char **out,
                         size_t *len) {
  const char *name = source + strlen(SOURCE);
  const char *value = begins(name, PREFIX) ? getenv(name) : NULL;
  char *copy;

  if (!value) {
    return begins(name, PREFIX)
               ? epi__fail(EPI_ENOENT, "%s: there is no such variable", source)
               : epi__fail(EPI_EINVAL,
                           "%.80s: a variable with a secret is named " PREFIX
                           "NAME: programs that are started do not get those",
                           source);
  }
  if (strlen(value) > max) {
    return epi__fail(EPI_ELIMIT, "%s has over %zu bytes", source, max);
  }
  copy = epi__strdup(value);
  if (!copy) {
    return EPI_ENOMEM;
  }
  *out = copy;
  *len = strlen(copy);
  return 0;
}

const char **epi__environment_without_secrets(size_t room, size_t *count) {
  const char **kept;
  size_t all = 0, used = 0;

  while (environ && environ[all]) {
    all++;
  }
  kept = epi__alloc_array(room + all + 1, sizeof *kept);
  for (size_t i = 0; kept && i < all; i++) {
    if (!begins(environ[i], PREFIX)) {
      kept[used++] = environ[i];
    }
  }
  *count = used;
  return kept;
}

int epi_secret_read(const char *source, char **out, size_t *len) {
  if (!source || !*source) {
    return epi__fail(EPI_EINVAL,
                     "a secret is in a file, or env:" PREFIX "NAME");
  }
  return epi__file_read(source, EPI_SECRET_MAX, 1, out, len);
}
