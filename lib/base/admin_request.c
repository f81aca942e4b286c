/* admin_request.c: what an admin asks of an engine. */
#include "base/admin_request.h"

#include "base/fail.h"

#include <math.h>
#include <string.h>

#define BIT(argument) (1u << (argument))
#define MATCH                                                                  \
  (BIT(EPI__ARG_FLOW) | BIT(EPI__ARG_SOURCE) | BIT(EPI__ARG_DEST) |            \
   BIT(EPI__ARG_ADDRESS) | BIT(EPI__ARG_RULE) | BIT(EPI__ARG_USER) |           \
   BIT(EPI__ARG_APPLICATION))

enum {
  NUMBER = EPI__JSON_NUMBER,
  TEXT = EPI__JSON_STRING,
  TRUTH = EPI__JSON_BOOL,
  SHOWN = 40, /* bytes of a wrong word in a message */
};

static const struct {
  const char *name;
  int type;
} arguments[EPI__ARGS] = {
    [EPI__ARG_FLOW] = {"flow", NUMBER},
    [EPI__ARG_SOURCE] = {"source", TEXT},
    [EPI__ARG_DEST] = {"dest", TEXT},
    [EPI__ARG_ADDRESS] = {"address", TEXT},
    [EPI__ARG_RULE] = {"rule", TEXT},
    [EPI__ARG_USER] = {"user", TEXT},
    [EPI__ARG_APPLICATION] = {"application", TEXT},
    [EPI__ARG_ALL] = {"all", TRUTH},
    [EPI__ARG_REASON] = {"reason", TEXT},
    [EPI__ARG_START] = {"start", NUMBER},
    [EPI__ARG_MOST] = {"most", NUMBER},
    [EPI__ARG_DOCUMENT] = {"document", TEXT},
    [EPI__ARG_CHANGES] = {"changes", TRUTH},
    [EPI__ARG_PARAMETER] = {"parameter", TEXT},
    [EPI__ARG_VALUE] = {"value", NUMBER},
    [EPI__ARG_LEVEL] = {"level", TEXT},
    [EPI__ARG_MS] = {"ms", NUMBER},
    [EPI__ARG_URL] = {"url", TEXT},
    [EPI__ARG_BY] = {"by", TEXT},
};

static const struct {
  const char *name;
  unsigned may, must;
  int changes;
} commands[EPI__ADMIN_COMMANDS] = {
    [EPI__ADMIN_STATUS] = {"status", 0, 0, 0},
    [EPI__ADMIN_FLOWS] = {"flows",
                          MATCH | BIT(EPI__ARG_START) | BIT(EPI__ARG_MOST), 0,
                          0},
    [EPI__ADMIN_EXPLAIN] = {"explain", 0, BIT(EPI__ARG_FLOW), 0},
    [EPI__ADMIN_KILL] = {"kill", MATCH | BIT(EPI__ARG_ALL),
                         BIT(EPI__ARG_REASON), 1},
    [EPI__ADMIN_MODEL] = {"model", 0, 0, 0},
    [EPI__ADMIN_PLAN] = {"plan", BIT(EPI__ARG_MOST) | BIT(EPI__ARG_CHANGES),
                         BIT(EPI__ARG_DOCUMENT), 0},
    [EPI__ADMIN_SET_MODEL] = {"set-model", 0, BIT(EPI__ARG_DOCUMENT), 1},
    [EPI__ADMIN_SETTINGS] = {"settings", 0, 0, 0},
    [EPI__ADMIN_SET] = {"set", 0, BIT(EPI__ARG_PARAMETER) | BIT(EPI__ARG_VALUE),
                        1},
    [EPI__ADMIN_LOG] = {"log", BIT(EPI__ARG_LEVEL), 0, 1},
    [EPI__ADMIN_DRAIN] = {"drain", 0, BIT(EPI__ARG_MS), 1},
    [EPI__ADMIN_LISTENERS] = {"listeners", 0, 0, 0},
    [EPI__ADMIN_LISTEN] = {"listen", 0, BIT(EPI__ARG_URL), 1},
    [EPI__ADMIN_UNLISTEN] = {"unlisten", 0, BIT(EPI__ARG_URL), 1},
    [EPI__ADMIN_RELISTEN] = {"relisten", 0,
                             BIT(EPI__ARG_URL) | BIT(EPI__ARG_BY), 1},
    [EPI__ADMIN_INSTANCES] = {"instances", 0, 0, 0},
    [EPI__ADMIN_METRICS] = {"metrics", 0, 0, 0},
    [EPI__ADMIN_RELOAD] = {"reload", 0, 0, 1},
};

const char *epi__admin_command_name(int command) {
  return commands[command].name;
}

const char *epi__admin_argument_name(int argument) {
  return arguments[argument].name;
}

int epi__admin_changes(int command) {
  return commands[command].changes;
}

static int find_command(const char *name) {
  for (int i = 0; i < EPI__ADMIN_COMMANDS; i++) {
    if (!strcmp(commands[i].name, name)) {
      return i;
    }
  }
  return epi__fail(EPI_EINVAL, "no command \"%.*s\"", SHOWN, name);
}

static int find_argument(const char *name) {
  for (int i = 0; i < EPI__ARGS; i++) {
    if (!strcmp(arguments[i].name, name)) {
      return i;
    }
  }
  return -1;
}

/* A whole number that a double holds exactly. */
static int read_number(int64_t *out, const epi__json *value, const char *key) {
  double number;

  if (epi__json_type(value) != EPI__JSON_NUMBER) {
    return epi__fail(EPI_EINVAL, "%s: is %s, and must be a number", key,
                     epi__json_type_name(epi__json_type(value)));
  }
  number = epi__json_number(value);
  if (number != floor(number) || fabs(number) > 9007199254740991.0) {
    return epi__fail(EPI_EINVAL, "%s: is no whole number up to 2^53", key);
  }
  *out = (int64_t)number;
  return 0;
}

static int take(epi__admin_request *out, int argument, const epi__json *value) {
  const char *key = arguments[argument].name;
  int type = epi__json_type(value);

  if (out->has & BIT(argument)) {
    return epi__fail(EPI_EINVAL, "%s: is there twice", key);
  }
  out->has |= BIT(argument);
  if (arguments[argument].type == NUMBER) {
    return read_number(&out->numbers[argument], value, key);
  }
  if (type != arguments[argument].type) {
    return epi__fail(EPI_EINVAL, "%s: is %s, and must be %s", key,
                     epi__json_type_name(type),
                     epi__json_type_name(arguments[argument].type));
  }
  if (type == TEXT) {
    out->texts[argument] = epi__json_string(value);
  } else {
    out->numbers[argument] = epi__json_bool(value);
  }
  return 0;
}

/* `epi`, `id` and `command`, wherever they stand. The id comes first: the reply
 * to what is wrong has it, too. */
static int read_head(epi__admin_request *out, int64_t *version,
                     const char **name) {
  int result = 0;

  for (const epi__json *at = epi__json_first(out->root); at && !result;
       at = epi__json_next(at)) {
    const char *key = epi__json_key(at);

    if (!strcmp(key, "id")) {
      result = out->has_id ? epi__fail(EPI_EINVAL, "id: is there twice")
                           : read_number(&out->id, at, key);
      out->has_id = !result;
    }
  }
  for (const epi__json *at = epi__json_first(out->root); at && !result;
       at = epi__json_next(at)) {
    const char *key = epi__json_key(at);

    if (!strcmp(key, "epi")) {
      result = *version ? epi__fail(EPI_EINVAL, "epi: is there twice")
                        : read_number(version, at, key);
    } else if (!strcmp(key, "command")) {
      result = *name ? epi__fail(EPI_EINVAL, "command: is there twice")
               : epi__json_type(at) != TEXT
                   ? epi__fail(EPI_EINVAL, "command: must be a string")
                   : 0;
      *name = result ? NULL : epi__json_string(at);
    }
  }
  return result;
}

static int check_head(epi__admin_request *out, int64_t version,
                      const char *name) {
  if (version != EPI__ADMIN_VERSION) {
    return epi__fail(version ? EPI_EVERSION : EPI_EINVAL,
                     "epi: must be there, and %d, the version of this protocol",
                     EPI__ADMIN_VERSION);
  }
  if (!name) {
    return epi__fail(EPI_EINVAL, "command: is missing");
  }
  out->command = find_command(name);
  return out->command < 0 ? out->command : 0;
}

static int read_arguments(epi__admin_request *out) {
  unsigned may = commands[out->command].may | commands[out->command].must;
  const char *name = commands[out->command].name;

  for (const epi__json *at = epi__json_first(out->root); at;
       at = epi__json_next(at)) {
    const char *key = epi__json_key(at);
    int argument = find_argument(key);
    int result;

    if (!strcmp(key, "epi") || !strcmp(key, "command") || !strcmp(key, "id")) {
      continue;
    }
    if (argument < 0 || !(may & BIT(argument))) {
      return epi__fail(EPI_EINVAL, "%s: takes no \"%.*s\"", name, SHOWN, key);
    }
    result = take(out, argument, at);
    if (result) {
      return result;
    }
  }
  for (int i = 0; i < EPI__ARGS; i++) {
    if (commands[out->command].must & BIT(i) && !(out->has & BIT(i))) {
      return epi__fail(EPI_EINVAL, "%s: needs \"%s\"", name, arguments[i].name);
    }
  }
  return 0;
}

int epi__admin_request_read(epi__admin_request *out, const void *line,
                            size_t len) {
  const char *name = NULL;
  int64_t version = 0;
  int result;

  memset(out, 0, sizeof *out);
  result = epi__json_read(&out->root, line, len);
  if (result) {
    return result;
  }
  if (epi__json_type(out->root) != EPI__JSON_OBJECT) {
    result = epi__fail(EPI_EINVAL, "a request is an object");
  }
  if (!result) {
    result = read_head(out, &version, &name);
  }
  if (!result) {
    result = check_head(out, version, name);
  }
  if (!result) {
    result = read_arguments(out);
  }
  if (result) {
    epi__json_free(out->root);
    out->root = NULL;
  }
  return result;
}

void epi__admin_request_clear(epi__admin_request *request) {
  epi__json_free(request->root);
  memset(request, 0, sizeof *request);
}
