/* model_read.c: a model document, version 1, becomes a model. */
#include "area/chain_cache.h"
#include "area/model_reader.h"
#include "area/policy_match.h"

#include "base/memory.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

enum {
  EPI,
  GAP,
  PRIVATE,
  ATTRIBUTES,
  BRIDGEABLE,
  NODES,
  PROXIES,
  FUNCTIONS,
  APPLICATIONS,
  POLICY,
  KEYS,
};

static const epi__key keys[KEYS + 1] = {
    [EPI] = {"epi", EPI__JSON_NUMBER, 1},
    [GAP] = {"gap", EPI__JSON_STRING, 0},
    [PRIVATE] = {"private", EPI__JSON_STRING, 0},
    [ATTRIBUTES] = {"attributes", EPI__JSON_LIST, 0},
    [BRIDGEABLE] = {"bridgeable", EPI__JSON_LIST, 0},
    [NODES] = {"nodes", EPI__JSON_OBJECT, 1},
    [PROXIES] = {"proxies", EPI__JSON_OBJECT, 0},
    [FUNCTIONS] = {"functions", EPI__JSON_OBJECT, 0},
    [APPLICATIONS] = {"applications", EPI__JSON_OBJECT, 0},
    [POLICY] = {"policy", EPI__JSON_OBJECT, 0},
};

/* The member of an object, if it is one; the first counts. */
static const epi__json *member(const epi__json *object, const char *key) {
  const epi__json *at = NULL;

  if (object && epi__json_type(object) == EPI__JSON_OBJECT) {
    at = epi__json_first(object);
    while (at && strcmp(epi__json_key(at), key)) {
      at = epi__json_next(at);
    }
  }
  return at;
}

/* Add the strings of the list under a key in each member of things; what is no
 * string becomes a problem where the list is read. */
static void use(epi__model_reader *in, epi__names *used,
                const epi__json *things, const char *key) {
  const epi__json *thing, *item, *list;

  for (thing = things ? epi__json_first(things) : NULL; thing;
       thing = epi__json_next(thing)) {
    list = member(thing, key);
    if (!list || epi__json_type(list) != EPI__JSON_LIST) {
      continue;
    }
    for (item = epi__json_first(list); item && !in->failed;
         item = epi__json_next(item)) {
      if (epi__json_type(item) == EPI__JSON_STRING && *epi__json_string(item) &&
          used->count <= EPI__ATTRIBUTES_MAX) {
        epi__number_of(in, used, epi__json_string(item));
      }
    }
  }
}

static void declare(epi__model_reader *in, epi__names *used,
                    const epi__json *list) {
  const epi__json *item;
  size_t i = 0;

  in->model->lists_attributes = 1;
  for (item = epi__json_first(list);
       item && !in->failed && used->count <= EPI__ATTRIBUTES_MAX;
       item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);
    size_t count = used->count;
    const char *text = epi__read_string(in, item);

    if (text && epi__check_name(in, text)) {
      epi__number_of(in, used, text);
      if (used->count == count && !in->failed) {
        epi__problem(in, "is there twice");
      }
    }
    epi__path_back(in, back);
  }
}

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Attributes are numbered in the order of their bytes, so that neither the
 * decision nor the canonical document depends on who mentions one first. */
static void number_attributes(epi__model_reader *in, const epi__json **parts) {
  const epi__json *rules = member(parts[POLICY], "rules");
  size_t back = epi__path_key(in, "attributes");
  epi__names used = {0};

  if (parts[ATTRIBUTES]) {
    declare(in, &used, parts[ATTRIBUTES]);
  } else {
    use(in, &used, parts[NODES], "attributes");
    use(in, &used, parts[FUNCTIONS], "provides");
    use(in, &used, rules, "attributes");
    for (size_t i = 0; i < used.count; i++) {
      epi__check_name(in, used.texts[i]);
    }
  }
  if (used.count > EPI__ATTRIBUTES_MAX) {
    epi__problem(in, "more than %d attributes", EPI__ATTRIBUTES_MAX);
  }
  if (used.count) {
    qsort(used.texts, used.count, sizeof *used.texts, compare);
  }
  for (size_t i = 0; i < used.count && !in->failed; i++) {
    epi__number_of(in, &in->model->attributes, used.texts[i]);
  }
  in->model->words = epi__set_words(in->model->attributes.count);
  epi__names_clear(&used);
  epi__path_back(in, back);
}

static void provided_by_all(const epi_model *model, uint64_t *out) {
  for (size_t i = 0; i < model->function_names.count; i++) {
    epi__set_join(out, model->functions[i].provides, model->words);
  }
}

static void read_bridgeable(epi__model_reader *in, const epi__json *list) {
  epi_model *model = in->model;
  size_t back = epi__path_key(in, "bridgeable");
  uint64_t *provided = epi__alloc_array(model->words, sizeof *provided);

  model->bridgeable = epi__alloc_array(model->words, sizeof *provided);
  if (!provided || !model->bridgeable) {
    in->failed = 1;
    goto done;
  }
  provided_by_all(model, provided);
  if (!list) {
    epi__set_join(model->bridgeable, provided, model->words);
    goto done;
  }
  model->lists_bridgeable = 1;
  epi__read_attributes(in, list, model->bridgeable);
  for (ptrdiff_t at = 0;
       (at = epi__set_next(model->bridgeable, model->words, (size_t)at)) >= 0;
       at++) {
    if (!epi__set_has(provided, (size_t)at)) {
      epi__problem(in, "no function provides \"%s\"",
                   model->attributes.texts[at]);
    }
  }
done:
  epi__free(provided);
  epi__path_back(in, back);
}

static void read_settings(epi__model_reader *in, const epi__json **parts) {
  size_t back = epi__path_key(in, "epi");

  if (parts[EPI] && epi__json_number(parts[EPI]) != 1) {
    epi__problem(in, "this version of libepi reads version 1");
  }
  epi__path_back(in, back);
  back = epi__path_key(in, "gap");
  if (parts[GAP]) {
    const char *gap = epi__json_string(parts[GAP]);

    in->model->as_printed = !strcmp(gap, "as-printed");
    if (!in->model->as_printed && strcmp(gap, "missing")) {
      epi__problem(in, "must be \"missing\" or \"as-printed\"");
    }
  }
  epi__path_back(in, back);
  back = epi__path_key(in, "private");
  if (parts[PRIVATE]) {
    const char *private = epi__json_string(parts[PRIVATE]);

    in->model->private_any = !strcmp(private, "any");
    if (!in->model->private_any && strcmp(private, "named")) {
      epi__problem(in, "must be \"named\" or \"any\"");
    }
  }
  epi__path_back(in, back);
}

/* Names first: what refers to them may stand before them. */
static void read_names(epi__model_reader *in, const epi__json **parts) {
  epi_model *model = in->model;
  const struct {
    int part;
    size_t max;
    epi__names *names;
  } things[] = {
      {NODES, EPI__NODES_MAX, &model->node_names},
      {PROXIES, EPI__PROXIES_MAX, &model->proxy_names},
      {FUNCTIONS, EPI__FUNCTIONS_MAX, &model->function_names},
      {APPLICATIONS, EPI__APPLICATIONS_MAX, &model->application_names},
  };

  for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
    size_t back = epi__path_key(in, keys[things[i].part].name);

    epi__read_names(in, parts[things[i].part], things[i].max, things[i].names);
    epi__path_back(in, back);
  }
  number_attributes(in, parts);
}

static void read_document(epi__model_reader *in, const epi__json *root) {
  static void (*const readers[KEYS])(epi__model_reader *, const epi__json *) = {
      [NODES] = epi__read_nodes,
      [PROXIES] = epi__read_proxies,
      [FUNCTIONS] = epi__read_functions,
      [APPLICATIONS] = epi__read_applications,
      [POLICY] = epi__read_policy,
  };
  const epi__json *parts[KEYS];

  epi__read_members(in, root, keys, parts);
  read_settings(in, parts);
  read_names(in, parts);
  for (size_t i = 0; i < KEYS && !in->failed; i++) {
    size_t back = epi__path_key(in, keys[i].name);

    if (readers[i]) {
      readers[i](in, parts[i]);
    }
    epi__path_back(in, back);
  }
  if (!in->failed) {
    read_bridgeable(in, parts[BRIDGEABLE]);
  }
}

/* Number the canonical document. */
static int hash_model(epi_model *model) {
  epi__sha256 hash;
  uint8_t digest[32];
  char *text;

  if (epi_model_write(model, &text)) {
    return EPI_ENOMEM;
  }
  epi__sha256_start(&hash);
  epi__sha256_add(&hash, text, strlen(text));
  epi__sha256_end(&hash, digest);
  epi__hex(model->hash, digest, sizeof digest);
  epi__free(text);
  return 0;
}

static int read_root(epi_model *model, epi_report *problems,
                     const epi__json *root) {
  epi__model_reader in = {.model = model, .problems = problems};

  read_document(&in, root);
  if (in.failed) {
    return epi__fail(EPI_ENOMEM, "no memory for the model");
  }
  if (in.problem_count) {
    return epi__fail(EPI_EMODEL, "%s", in.first);
  }
  epi__model_find_ranges(model);
  if (epi__exits_make(model) || epi__routes_make(model) ||
      epi__rules_index(model) || epi__chain_cache_make(model) ||
      hash_model(model)) {
    return EPI_ENOMEM;
  }
  return 0;
}

int epi__model_make(epi_model **out, epi_report *problems,
                    const epi__json *root) {
  epi_model *model = epi__model_new();
  int result = model ? read_root(model, problems, root) : EPI_ENOMEM;

  if (result) {
    epi_model_free(model);
    return result;
  }
  *out = model;
  return 0;
}

int epi_model_read(epi_model **out, epi_report *problems, const void *json,
                   size_t len) {
  epi__json *root;
  int result;

  if (len > EPI_MODEL_MAX) {
    return epi__fail(EPI_ELIMIT, "a model document has at most %d bytes",
                     EPI_MODEL_MAX);
  }
  result = epi__json_read(&root, json, len);
  if (result == EPI_EMODEL &&
      epi__report_add(problems, "%s", epi_error_detail())) {
    return EPI_ENOMEM;
  }
  if (result) {
    return result;
  }
  result = epi__model_make(out, problems, root);
  epi__json_free(root);
  return result;
}
