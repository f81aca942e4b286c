/* vector_file.c: the wire cases of tests/vectors, which tells their format. */
#include "support/vector_file.h"

#include "epi/error.h"
#include "support/annotated_hex.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *vector_text(const vector *v, const char *key) {
  for (int i = 0; i < v->count; i++) {
    if (!strcmp(v->keys[i], key)) {
      return v->values[i];
    }
  }
  return NULL;
}

int vector_is(const vector *v, const char *key, const char *text) {
  const char *found = vector_text(v, key);

  return found && !strcmp(found, text);
}

int64_t vector_number(const vector *v, const char *key, int64_t otherwise) {
  const char *text = vector_text(v, key);

  return text ? strtoll(text, NULL, 10) : otherwise;
}

size_t vector_bytes(const vector *v, const char *key, uint8_t *out) {
  const char *text = vector_text(v, key);

  return text ? annotated_hex(out, VECTOR_BYTES, text) : 0;
}

static void fail(const char *what, const char *where) {
  fprintf(stderr, "%s: %s\n", what, where);
  abort();
}

int vector_error(const vector *v) {
  static const struct {
    const char *name;
    int error;
  } names[] = {
      {"EPROTO", EPI_EPROTO}, {"EVERSION", EPI_EVERSION}, {"EAUTH", EPI_EAUTH},
      {"ELIMIT", EPI_ELIMIT}, {"EREFUSED", EPI_EREFUSED},
  };

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (vector_is(v, "error", names[i].name)) {
      return names[i].error;
    }
  }
  if (vector_text(v, "error")) {
    fail("unknown error", vector_text(v, "case"));
  }
  return 0;
}

/* ---- files ---- */

static char *copy_of(const char *text) {
  char *copy = malloc(strlen(text) + 1);

  if (!copy) {
    abort();
  }
  return strcpy(copy, text);
}

/* Adds a line to a case: "KEY: VALUE", or more of the value before. */
static void add_line(vector *v, char *line) {
  char *colon = strstr(line, ": ");

  line[strcspn(line, "#")] = '\0';
  for (size_t end = strlen(line); end && line[end - 1] == ' ';) {
    line[--end] = '\0';
  }
  if (line[0] == ' ' && v->count) {
    char **value = &v->values[v->count - 1];
    char *longer = realloc(*value, strlen(*value) + strlen(line) + 1);

    if (!longer) {
      abort();
    }
    *value = strcat(longer, line);
    return;
  }
  if (!line[0]) {
    return; /* a comment inside of a case */
  }
  if (!colon) { /* a key without a value */
    colon = line + strlen(line) - 1;
  }
  if (*colon != ':' || v->count == VECTOR_FIELDS) {
    fail("not KEY: VALUE, or too many", line);
  }
  *colon++ = '\0';
  v->keys[v->count] = copy_of(line);
  v->values[v->count++] = copy_of(colon + strspn(colon, " "));
}

static void end_vector(vector *v, void (*check)(const vector *v), int *done) {
  if (v->count) {
    if (!vector_text(v, "case") || !vector_text(v, "bytes")) {
      fail("a case without name or bytes", v->values[0]);
    }
    check(v);
    ++*done;
  }
  while (v->count) {
    free(v->keys[--v->count]);
    free(v->values[v->count]);
  }
}

static int check_file(const char *path, void (*check)(const vector *v)) {
  FILE *file = fopen(path, "r");
  vector v = {0};
  char line[512];
  int done = 0;

  if (!file) {
    fail("cannot be read", path);
  }
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    if (!line[0]) {
      end_vector(&v, check, &done);
    } else {
      add_line(&v, line);
    }
  }
  end_vector(&v, check, &done);
  fclose(file);
  return done;
}

int vectors_each(const char *folder, void (*check)(const vector *v)) {
  const char *root = getenv("EPI_SOURCE");
  struct dirent *entry;
  char path[4096];
  int done = 0;
  DIR *open;

  if (!root) {
    fail("run it with meson test", "EPI_SOURCE is not set");
  }
  snprintf(path, sizeof path, "%s/tests/vectors/%s", root, folder);
  open = opendir(path);
  if (!open) {
    fail("cannot be read", path);
  }
  while ((entry = readdir(open))) {
    if (entry->d_name[0] != '.') {
      snprintf(path, sizeof path, "%s/tests/vectors/%s/%s", root, folder,
               entry->d_name);
      done += check_file(path, check);
    }
  }
  closedir(open);
  return done;
}
