/* inspect_rules.c: what `inspect` was told to look for. */
#include "filter/inspect_rules.h"

#include "base/fail.h"
#include "base/memory.h"
#include "filter/filter_args.h"

#include <string.h>

enum {
  /* Lines are longer than the patterns in them. */
  FILE_MAX = EPI__PATTERNS_BYTES + 2 * EPI__PATTERNS_MAX,
};

typedef struct wish {
  epi__inspect_rules rules;
  epi__patterns patterns;
  int nocase;
  int (*read)(const char *path, size_t max, char **text, size_t *len);
} wish;

static int add_file(wish *into, const char *path) {
  char *text = NULL;
  size_t len = 0;
  int result;

  if (!into->read) {
    return epi__fail(EPI_ENOTSUP, "there are no files here");
  }
  result = into->read(path, FILE_MAX, &text, &len);
  if (!result) {
    result = epi__patterns_add_lines(&into->patterns, text, len);
  }
  epi__free(text);
  return result;
}

/* The position of a word in a list that ends in NULL, or EPI_EINVAL. */
static int choose(const epi__filter_args *args, const char *const *words,
                  const char *what) {
  for (int i = 0; words[i]; i++) {
    if (!strcmp(args->value, words[i])) {
      return i;
    }
  }
  return epi__fail(EPI_EINVAL, "%s is %s, not '%.80s'", args->key, what,
                   args->value);
}

static int read_choice(wish *into, const epi__filter_args *args) {
  static const char *const actions[] = {"refuse", "mask", "report", NULL};
  static const char *const ways[] = {"forward", "backward", "both", NULL};
  int chosen;

  if (!strcmp(args->key, "action")) {
    chosen = choose(args, actions, "refuse, mask or report");
    into->rules.action = chosen;
  } else if (!strcmp(args->key, "way")) {
    chosen = choose(args, ways, "forward, backward or both");
    into->rules.ways = (unsigned)chosen + 1;
  } else {
    return epi__filter_args_unknown(
        args, "inspect",
        "pattern, patterns, nocase, action, way, sni and host");
  }
  return chosen < 0 ? chosen : 0;
}

static int read_one(wish *into, const epi__filter_args *args) {
  if (!strcmp(args->key, "pattern")) {
    return *args->value ? epi__patterns_add(&into->patterns, args->value,
                                            strlen(args->value))
                        : epi__fail(EPI_EINVAL, "an empty pattern");
  }
  if (!strcmp(args->key, "patterns")) {
    return add_file(into, args->value);
  }
  if (!strcmp(args->key, "sni")) {
    return epi__host_list_add(&into->rules.sni, args->value, 1);
  }
  if (!strcmp(args->key, "host")) {
    return epi__host_list_add(&into->rules.host, args->value, 1);
  }
  if (!strcmp(args->key, "nocase")) {
    into->nocase = 1;
    return *args->value ? epi__fail(EPI_EINVAL, "nocase has no value") : 0;
  }
  return read_choice(into, args);
}

static int read_all(wish *into, const char *text) {
  epi__filter_args args;
  int result;

  epi__filter_args_begin(&args, text);
  while ((result = epi__filter_args_next(&args)) == 1) {
    result = read_one(into, &args);
    if (result) {
      return result;
    }
  }
  return result;
}

int epi__inspect_rules_read(epi__inspect_rules *out, const char *text,
                            int (*read)(const char *path, size_t max,
                                        char **text, size_t *len)) {
  wish into = {.read = read};
  int result;

  into.rules.ways = 1u << EPI_FORWARD | 1u << EPI_BACKWARD;
  result = read_all(&into, text);
  if (!result && into.patterns.count) {
    result = epi__matcher_new(&into.rules.matcher, &into.patterns, into.nocase);
  } else if (!result && into.patterns.number) {
    result = epi__fail(EPI_EINVAL, "the file has no pattern");
  }
  epi__patterns_clear(&into.patterns);
  if (result) {
    epi__inspect_rules_clear(&into.rules);
    return result;
  }
  *out = into.rules;
  return 0;
}

void epi__inspect_rules_clear(epi__inspect_rules *rules) {
  epi__matcher_free(rules->matcher);
  epi__host_list_clear(&rules->sni);
  epi__host_list_clear(&rules->host);
}

int epi__inspect_is_listed(const epi__inspect_rules *rules) {
  return rules->sni.count || rules->host.count;
}
