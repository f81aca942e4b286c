/* filter_args.c: the arguments of a built-in filter, one by one. */
#include "filter/filter_args.h"

#include "base/fail.h"

#include <inttypes.h>
#include <string.h>

void epi__filter_args_begin(epi__filter_args *args, const char *text) {
  args->rest = text;
  args->key[0] = args->value[0] = '\0';
}

static int read_key(epi__filter_args *args) {
  size_t len = strcspn(args->rest, "=,");

  if (!len || len > EPI__FILTER_KEY_MAX) {
    return epi__fail(EPI_EINVAL, "filter arguments are KEY=VALUE with commas "
                                 "between them");
  }
  memcpy(args->key, args->rest, len);
  args->key[len] = '\0';
  args->rest += len;
  return 0;
}

int epi__filter_args_next(epi__filter_args *args) {
  size_t len = 0;

  if (!*args->rest) {
    return 0;
  }
  if (read_key(args)) {
    return EPI_EINVAL;
  }
  if (*args->rest == '=') {
    args->rest++;
  }
  while (*args->rest && *args->rest != ',') {
    if (*args->rest == '\\' &&
        (args->rest[1] == ',' || args->rest[1] == '\\')) {
      args->rest++;
    }
    if (len == EPI__FILTER_VALUE_MAX) {
      return epi__fail(EPI_EINVAL, "the value of %s is over %d bytes",
                       args->key, EPI__FILTER_VALUE_MAX);
    }
    args->value[len++] = *args->rest++;
  }
  args->value[len] = '\0';
  if (*args->rest == ',') {
    args->rest++;
  }
  return 1;
}

static int64_t unit_of(const char *text) {
  if (!*text) {
    return 1;
  }
  if (text[1]) {
    return 0;
  }
  switch (*text) {
  case 'k':
    return 1024;
  case 'm':
    return 1024 * 1024;
  case 'g':
    return 1024 * 1024 * 1024;
  default:
    return 0;
  }
}

int epi__filter_args_number(const epi__filter_args *args, int64_t lowest,
                            int64_t highest, int64_t *out) {
  const char *at = args->value;
  int64_t number = 0, unit;

  while (*at >= '0' && *at <= '9' && number <= highest) {
    number = number * 10 + (*at++ - '0');
  }
  unit = at > args->value ? unit_of(at) : 0;
  if (!unit || number > highest / unit || number * unit < lowest) {
    return epi__fail(EPI_EINVAL,
                     "%s is a number from %" PRId64 " to %" PRId64
                     ", not '%.80s'",
                     args->key, lowest, highest, args->value);
  }
  *out = number * unit;
  return 0;
}

int epi__filter_args_unknown(const epi__filter_args *args, const char *filter,
                             const char *takes) {
  return epi__fail(EPI_EINVAL, "filter %s takes %s, not '%s'", filter, takes,
                   args->key);
}
