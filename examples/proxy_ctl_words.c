/* proxy_ctl_words.c: the words behind `epi-proxy ctl` as a request. */
#include "proxy_ctl.h"

#include "proxy_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts that grow ---- */

static void add(ctl_request *out, const char *data, size_t len) {
  if (out->bad) {
    return;
  }
  if (out->room - out->len <= len) {
    size_t room = (out->len + len + 1) * 2;
    char *moved = realloc(out->text, room);

    if (!moved) {
      out->bad = 1;
      return;
    }
    out->text = moved;
    out->room = room;
  }
  memcpy(out->text + out->len, data, len);
  out->len += len;
  out->text[out->len] = '\0';
}

static void add_text(ctl_request *out, const char *text) {
  add(out, text, strlen(text));
}

/* As a JSON string. */
static void add_quoted(ctl_request *out, const char *data, size_t len) {
  char escaped[8];

  add(out, "\"", 1);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)data[i];

    if (c < 0x20 || c == '"' || c == '\\') {
      snprintf(escaped, sizeof escaped, "\\u%04x", c);
      add_text(out, escaped);
    } else {
      add(out, &data[i], 1);
    }
  }
  add(out, "\"", 1);
}

static void add_key(ctl_request *out, const char *key) {
  add_text(out, ",\"");
  add_text(out, key);
  add_text(out, "\":");
}

static void add_member(ctl_request *out, const char *key, const char *value) {
  add_key(out, key);
  add_quoted(out, value, strlen(value));
}

static int add_number(ctl_request *out, const char *key, const char *value) {
  char *end;

  errno = 0;
  strtoll(value, &end, 10);
  if (errno || *end || end == value) {
    fprintf(stderr, "epi-proxy: ctl: %s is a number, not '%s'\n", key, value);
    return EXIT_USAGE;
  }
  add_key(out, key);
  add_text(out, value);
  return 0;
}

static int add_file(ctl_request *out, const char *path) {
  FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  char *text = file ? malloc(EPI_MODEL_MAX + 1) : NULL;
  size_t len = text ? fread(text, 1, EPI_MODEL_MAX + 1, file) : 0;
  int result = 0;

  if (!text || ferror(file)) {
    result = complain(path, strerror(errno));
  } else if (len > EPI_MODEL_MAX) {
    result = complain(path, "a model has 64 MiB at most");
  } else if (memchr(text, '\0', len)) {
    result = complain(path, "a model is text: there is a zero byte");
  } else {
    add_key(out, "document");
    add_quoted(out, text, len);
  }
  free(text);
  if (file && file != stdin) {
    fclose(file);
  }
  return result;
}

/* ---- options behind a command ---- */

enum {
  TEXT,
  NUMBER,
  TRUTH,
};

static const struct {
  const char *name;
  int kind;
} known[] = {
    {"flow", NUMBER},      {"source", TEXT}, {"dest", TEXT},
    {"address", TEXT},     {"rule", TEXT},   {"user", TEXT},
    {"application", TEXT}, {"reason", TEXT}, {"start", NUMBER},
    {"most", NUMBER},      {"all", TRUTH},   {"changes", TRUTH},
};

enum { KNOWN = sizeof known / sizeof *known };

/* One option, `--NAME VALUE` or `--NAME=VALUE`. Whether the command takes it is
 * the request's to say. Returns how many words it has, or 0 after a message. */
static int take_option(ctl_request *out, int count, char **words) {
  const char *name = words[0] + 2;
  const char *equals = strchr(name, '=');
  size_t len = equals ? (size_t)(equals - name) : strlen(name);
  const char *value = equals ? equals + 1 : count > 1 ? words[1] : NULL;
  int i = 0;

  while (i < KNOWN && (strlen(known[i].name) != len ||
                       strncmp(known[i].name, name, len) != 0)) {
    i++;
  }
  if (i == KNOWN || (known[i].kind == TRUTH && equals)) {
    complain("ctl: no such option (see ctl --help)", words[0]);
    return 0;
  }
  if (known[i].kind == TRUTH) {
    add_key(out, known[i].name);
    add_text(out, "true");
    return 1;
  }
  if (!value) {
    complain("ctl: an option needs a value", words[0]);
    return 0;
  }
  if (known[i].kind == TEXT) {
    add_member(out, known[i].name, value);
  } else if (add_number(out, known[i].name, value)) {
    return 0;
  }
  return equals ? 1 : 2;
}

/* ---- commands ---- */

enum {
  NONE,
  FLOW,
  FILE_NAME,
  SETTING, /* a name and a number */
  LEVEL,
  MS,
  URL,
  URLS,
};

static const struct {
  const char *first, *second; /* second NULL: there is none */
  int takes;
  const char *command;
} commands[] = {
    {"status", NULL, NONE, "status"},
    {"flows", NULL, NONE, "flows"},
    {"explain", NULL, FLOW, "explain"},
    {"kill", NULL, NONE, "kill"},
    {"model", "show", NONE, "model"},
    {"model", "plan", FILE_NAME, "plan"},
    {"model", "set", FILE_NAME, "set-model"},
    {"settings", "set", SETTING, "set"},
    {"settings", "show", NONE, "settings"},
    {"settings", NULL, NONE, "settings"},
    {"log", NULL, LEVEL, "log"},
    {"listeners", "add", URL, "listen"},
    {"listeners", "remove", URL, "unlisten"},
    {"listeners", "replace", URLS, "relisten"},
    {"listeners", "show", NONE, "listeners"},
    {"listeners", NULL, NONE, "listeners"},
    {"instances", NULL, NONE, "instances"},
    {"metrics", NULL, NONE, "metrics"},
    {"drain", NULL, MS, "drain"},
    {"reload", NULL, NONE, "reload"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* An option of the program names a parameter of the engine; what is none may be
 * a name that the engine knows. */
static int add_setting(ctl_request *out, const char *name, const char *value) {
  char number[16];

  for (int i = EPI_ENGINE_WORKERS; i < PARAMETERS; i++) {
    if (i != EPI_ENGINE_BIND_PORT_MIN && i != EPI_ENGINE_BIND_PORT_MAX &&
        !strcmp(proxy_options_name(i), name)) {
      snprintf(number, sizeof number, "%d", i);
      name = number;
      break;
    }
  }
  add_member(out, "parameter", name);
  return add_number(out, "value", value);
}

/* How many words a command takes: exactly, but for a level. */
static int words_of(int takes) {
  return takes == NONE ? 0 : takes == SETTING || takes == URLS ? 2 : 1;
}

static int add_words(ctl_request *out, int takes, char **words) {
  switch (takes) {
  case FLOW:
    return add_number(out, "flow", words[0]);
  case FILE_NAME:
    return add_file(out, words[0]);
  case SETTING:
    return add_setting(out, words[0], words[1]);
  case LEVEL:
    add_member(out, "level", words[0]);
    return 0;
  case MS:
    return add_number(out, "ms", words[0]);
  case URLS:
    add_member(out, "by", words[1]);
    add_member(out, "url", words[0]);
    return 0;
  default:
    add_member(out, "url", words[0]);
    return 0;
  }
}

static int find_command(int count, char **words) {
  for (int i = 0; i < COMMANDS; i++) {
    if (!strcmp(commands[i].first, words[0]) &&
        (!commands[i].second ||
         (count > 1 && !strcmp(commands[i].second, words[1])))) {
      return i;
    }
  }
  complain("ctl: no such command (see ctl --help)", words[0]);
  return -1;
}

/* Take options out of the words, and add them. Returns how many words are left,
 * or -1 after a message. */
static int take_options(ctl_request *out, int count, char **words) {
  int left = 0;

  for (int i = 0; i < count;) {
    int taken = 1;

    if (strncmp(words[i], "--", 2) != 0) {
      words[left++] = words[i];
    } else {
      taken = take_option(out, count - i, words + i);
    }
    if (!taken) {
      return -1;
    }
    i += taken;
  }
  return left;
}

static int make(ctl_request *out, int count, char **words) {
  int command = find_command(count, words);
  int left, takes, skip;

  if (command < 0) {
    return EXIT_USAGE;
  }
  takes = commands[command].takes;
  skip = commands[command].second ? 2 : 1;
  add_text(out, "{\"epi\":1");
  add_member(out, "command", commands[command].command);
  left = take_options(out, count - skip, words + skip);
  if (left < 0) {
    return EXIT_USAGE;
  }
  if (left != words_of(takes) && !(takes == LEVEL && !left)) {
    return complain(left > words_of(takes)
                        ? "ctl: too many words (see ctl --help)"
                        : "ctl: a word is missing (see ctl --help)",
                    words[0]);
  }
  if (left && add_words(out, takes, words + skip)) {
    return EXIT_USAGE;
  }
  add_text(out, "}");
  return 0;
}

int ctl_request_make(ctl_request *out, int count, char **words) {
  int result = 0;

  if (!strcmp(words[0], "raw")) {
    result = count == 2 ? 0 : complain("ctl raw", "takes one request");
    add_text(out, count == 2 ? words[1] : "");
  } else {
    result = make(out, count, words);
  }
  return !result && out->bad ? complain("ctl", "out of memory") : result;
}
