/* proxy_settings.c: epi-proxy's file of settings: lines `OPTION = VALUE`, as on
 * the command line, which change while it runs. */
#include "proxy_settings.h"

#include "proxy_listens.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SETTINGS_MAX = 64 * 1024 };

/* ---- reading ---- */

static int bad_line(const char *path, int line, const char *why,
                    const char *about) {
  fprintf(stderr, "epi-proxy: %s:%d: %s%s%s\n", path, line, why,
          about ? ": " : "", about ? about : "");
  return EXIT_USAGE;
}

static char *read_text(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = file ? malloc(SETTINGS_MAX + 1) : NULL;
  size_t len = 0;

  if (text) {
    len = fread(text, 1, SETTINGS_MAX + 1, file);
    text[len < SETTINGS_MAX ? len : SETTINGS_MAX] = '\0';
  }
  if (!text || ferror(file)) {
    complain(path, strerror(errno));
  } else if (len > SETTINGS_MAX) {
    complain(path, "settings have 64 KiB at most");
  } else if (strlen(text) != len) {
    complain(path, "settings are text: there is a zero byte");
  } else {
    fclose(file);
    return text;
  }
  free(text);
  if (file) {
    fclose(file);
  }
  return NULL;
}

/* Without the blanks around it. */
static char *trimmed(char *text) {
  char *end;

  while (isspace((unsigned char)*text)) {
    text++;
  }
  end = text + strlen(text);
  while (end > text && isspace((unsigned char)end[-1])) {
    end--;
  }
  *end = '\0';
  return text;
}

static int read_line(proxy_options *out, const char *path, int number,
                     char *line) {
  char *equals, *name, *value;

  line = trimmed(line);
  if (!*line || *line == '#') {
    return 0;
  }
  equals = strchr(line, '=');
  if (!equals) {
    return bad_line(path, number, "a setting is `OPTION = VALUE`", NULL);
  }
  *equals = '\0';
  name = trimmed(line);
  value = trimmed(equals + 1);
  switch (proxy_options_set(out, name, value)) {
  case 0:
    return 0;
  case EXIT_UNKNOWN:
    return bad_line(path, number,
                    "not a setting that a file may have (see man epi-proxy)",
                    name);
  default:
    return bad_line(path, number, "this line is wrong", NULL);
  }
}

static void forget_all(proxy_options *out) {
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < PARAMETERS; i++) {
    out->numbers[i] = -1;
  }
  out->drain_ms = -1;
}

int settings_read(proxy_options *out, char **text, const char *path) {
  char *next = read_text(path);
  int result = next ? 0 : EXIT_USAGE;

  forget_all(out);
  *text = next;
  for (int number = 1; next && !result; number++) {
    char *line = strsep(&next, "\n");

    result = read_line(out, path, number, line);
  }
  if (result) {
    free(*text);
    *text = NULL;
  }
  return result;
}

/* ---- what is in force ---- */

static int64_t either(int64_t said, int64_t base) {
  return said >= 0 ? said : base;
}

static void put_in_force(proxy_settings *all, const proxy_options *said,
                         char *text) {
  for (int i = EPI_ENGINE_WORKERS; i < PARAMETERS; i++) {
    all->now[i] = either(said->numbers[i], all->base[i]);
  }
  all->options->drain_ms = either(said->drain_ms, all->base_drain_ms);
  all->listens = said->listens;
  free(all->text);
  all->text = text;
}

static int set_number(epi_engine *engine, int parameter, int64_t value) {
  return epi_engine_set(engine, parameter, value)
             ? complain("bad setting", epi_error_detail())
             : 0;
}

/* The command line's first, so that it is there should the file lose a line. */
int settings_begin(proxy_settings *all, epi_engine *engine,
                   proxy_options *options) {
  proxy_options said;
  char *text = NULL;

  all->path = options->settings;
  all->options = options;
  all->base_drain_ms = options->drain_ms;
  forget_all(&said);
  if (all->path && (settings_read(&said, &text, all->path) ||
                    listens_check(&options->listens, &said.listens))) {
    return EXIT_USAGE;
  }
  for (int i = EPI_ENGINE_WORKERS; i < PARAMETERS; i++) {
    int64_t number = options->numbers[i];

    if (number >= 0 && set_number(engine, i, number)) {
      return EXIT_USAGE;
    }
    epi_engine_bounds(engine, i, &all->base[i], NULL, NULL);
    if (said.numbers[i] >= 0 && set_number(engine, i, said.numbers[i])) {
      return complain(all->path, "a setting is wrong");
    }
  }
  put_in_force(all, &said, text);
  return 0;
}

/* ---- changes ---- */

static int check_numbers(const proxy_settings *all, const epi_engine *engine,
                         const proxy_options *said) {
  int64_t low = either(said->numbers[EPI_ENGINE_BIND_PORT_MIN],
                       all->base[EPI_ENGINE_BIND_PORT_MIN]);
  int64_t high = either(said->numbers[EPI_ENGINE_BIND_PORT_MAX],
                        all->base[EPI_ENGINE_BIND_PORT_MAX]);

  for (int i = EPI_ENGINE_WORKERS; i < PARAMETERS; i++) {
    int64_t number = said->numbers[i], lowest, highest;
    char line[128];

    epi_engine_bounds(engine, i, NULL, &lowest, &highest);
    if (number >= 0 && (number < lowest || number > highest)) {
      snprintf(line, sizeof line, "%s: %lld is not from %lld to %lld",
               proxy_options_name(i), (long long)number, (long long)lowest,
               (long long)highest);
      return complain(all->path, line);
    }
  }
  return low > high ? complain(all->path, "bind-ports: no port is left") : 0;
}

/* Of the ports for BINDs, the one that moves outwards is set first. */
static void change_numbers(const proxy_settings *all, epi_engine *engine,
                           const proxy_options *said) {
  for (int round = 0; round < 2; round++) {
    for (int i = EPI_ENGINE_WORKERS; i < PARAMETERS; i++) {
      int64_t number = either(said->numbers[i], all->base[i]);
      int result =
          number == all->now[i] ? 0 : epi_engine_set(engine, i, number);

      if (result && (round || result == EPI_ESTATE)) {
        complain(proxy_options_name(i),
                 "counts from the next start, or upgrade by USR2");
      }
    }
  }
}

int settings_again(proxy_settings *all, epi_engine *engine) {
  proxy_options said;
  struct stat info;
  char *text = NULL;
  int result = 0;

  if (!stat(all->path, &info) && !S_ISREG(info.st_mode)) {
    /* A pipe would block and keep its end from signals. */
    result = complain(all->path, "not a regular file: it is not read again");
  }
  if (!result) {
    result = settings_read(&said, &text, all->path);
  }
  if (!result) {
    result = check_numbers(all, engine, &said);
  }
  if (!result) {
    result = listens_change(engine, &all->options->listens, &all->listens,
                            &said.listens);
  }
  if (result) {
    free(text);
    fprintf(stderr, "epi-proxy: %s: the settings stay as they were\n",
            all->path);
    return result;
  }
  change_numbers(all, engine, &said);
  put_in_force(all, &said, text);
  fprintf(stderr, "epi-proxy: the settings in %s are in force\n", all->path);
  return 0;
}

void settings_free(proxy_settings *all) {
  free(all->text);
}
