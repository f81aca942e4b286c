/* proxy_listens.c: listeners that come and go while epi-proxy runs. What opens
 * comes first: if one cannot, what was done is taken back. */
#include "proxy_listens.h"

#include <string.h>

/* A listener that opens, in place of an old one or of NULL. */
typedef struct step {
  char *old, *url;
} step;

static int has(const many *list, const char *url) {
  for (size_t i = 0; i < list->count; i++) {
    if (!strcmp(list->items[i], url)) {
      return 1;
    }
  }
  return 0;
}

int listens_check(const many *command_line, const many *file) {
  many before = {.count = 0};

  for (size_t i = 0; i < file->count; i++) {
    if (has(command_line, file->items[i]) || has(&before, file->items[i])) {
      return complain("listen: it is there twice", file->items[i]);
    }
    before.items[before.count++] = file->items[i];
  }
  return 0;
}

/* HOST:PORT of a URL. */
static const char *place_of(const char *url, size_t *len) {
  const char *at = strstr(url, "://");

  at = at ? at + 3 : url;
  *len = strcspn(at, "=?");
  return at;
}

static int same_place(const char *a, const char *b) {
  size_t a_len, b_len;
  const char *a_at = place_of(a, &a_len), *b_at = place_of(b, &b_len);

  return a_len == b_len && !strncmp(a_at, b_at, a_len);
}

static int is_replaced(const step *steps, size_t count, const char *url) {
  for (size_t i = 0; i < count; i++) {
    if (steps[i].old && !strcmp(steps[i].old, url)) {
      return 1;
    }
  }
  return 0;
}

/* An admin may have closed one, or put another in its place. */
static int is_open(const epi_engine *engine, const char *url) {
  char *open;
  int found = 0;

  for (size_t i = 0; !found && !epi_engine_listener_url(engine, i, &open);
       i++) {
    found = !strcmp(open, url);
    epi_free(open);
  }
  return found;
}

static size_t plan(const epi_engine *engine, step *out, const many *before,
                   const many *after) {
  size_t count = 0;

  for (size_t i = 0; i < after->count; i++) {
    step next = {NULL, after->items[i]};

    if (has(before, next.url)) {
      continue;
    }
    for (size_t k = 0; k < before->count && !next.old; k++) {
      char *old = before->items[k];

      if (!has(after, old) && same_place(old, next.url) &&
          !is_replaced(out, count, old) && is_open(engine, old)) {
        next.old = old;
      }
    }
    out[count++] = next;
  }
  return count;
}

static int open_one(epi_engine *engine, const char *old, const char *url) {
  return old ? epi_engine_relisten(engine, old, url)
             : epi_engine_listen(engine, url);
}

static void undo(epi_engine *engine, const step *steps, size_t count) {
  while (count--) {
    if (steps[count].old
            ? epi_engine_relisten(engine, steps[count].url, steps[count].old)
            : epi_engine_unlisten(engine, steps[count].url)) {
      complain(steps[count].url, epi_error_detail());
    }
  }
}

int listens_change(epi_engine *engine, const many *command_line,
                   const many *before, const many *after) {
  step steps[MANY];
  size_t count = plan(engine, steps, before, after);

  if (listens_check(command_line, after)) {
    return EXIT_USAGE;
  }
  if (before->count && !after->count && !command_line->count) {
    return complain("no listener is left", NULL);
  }
  for (size_t i = 0; i < count; i++) {
    if (open_one(engine, steps[i].old, steps[i].url)) {
      hide_password(steps[i].url); /* no listener has one */
      complain(steps[i].url, epi_error_detail());
      undo(engine, steps, i);
      return EXIT_USAGE;
    }
  }
  for (size_t i = 0; i < before->count; i++) {
    char *url = before->items[i];

    if (!has(after, url) && !is_replaced(steps, count, url) &&
        is_open(engine, url) && epi_engine_unlisten(engine, url)) {
      complain(url, epi_error_detail());
    }
  }
  return 0;
}
