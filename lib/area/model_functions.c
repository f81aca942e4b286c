/* model_functions.c: bridging functions. */
#include "area/model_reader.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
  PROVIDES,
  FILTER,
  ENDPOINTS,
  IMAGE,
  OPTIONS,
  INSTANCES,
  CAPACITY,
  PAIR,
  BEFORE,
  AFTER,
  COST,
  FAIL,
  PROOF,
  KEYS,
};

static const epi__key keys[KEYS + 1] = {
    [PROVIDES] = {"provides", EPI__JSON_LIST, 0},
    [FILTER] = {"filter", EPI__JSON_STRING, 0},
    [ENDPOINTS] = {"endpoints", EPI__JSON_LIST, 0},
    [IMAGE] = {"image", EPI__JSON_STRING, 0},
    [OPTIONS] = {"options", EPI__JSON_OBJECT, 0},
    [INSTANCES] = {"instances", EPI__JSON_NUMBER, 0},
    [CAPACITY] = {"capacity", EPI__JSON_NUMBER, 0},
    [PAIR] = {"pair", EPI__JSON_STRING, 0},
    [BEFORE] = {"before", EPI__JSON_LIST, 0},
    [AFTER] = {"after", EPI__JSON_LIST, 0},
    [COST] = {"cost", EPI__JSON_OBJECT, 0},
    [FAIL] = {"fail", EPI__JSON_STRING, 0},
    [PROOF] = {"proof", EPI__JSON_STRING, 0},
};

static int has_endpoint(const epi__function *function, const char *url) {
  for (size_t i = 0; i < function->endpoint_count; i++) {
    if (!strcmp(function->endpoints[i], url)) {
      return 1;
    }
  }
  return 0;
}

static void read_endpoints(epi__model_reader *in, const epi__json *list,
                           epi__function *function) {
  const epi__json *item = epi__json_first(list);

  epi__check_filled(in, list);
  if (epi__too_long(in, list, EPI__VALUES_MAX)) {
    return;
  }
  function->endpoints =
      epi__alloc_array(EPI__VALUES_MAX, sizeof *function->endpoints);
  if (!function->endpoints) {
    in->failed = 1;
    return;
  }
  for (size_t i = 0; item; item = epi__json_next(item), i++) {
    size_t back = epi__path_index(in, i);
    char *url = epi__read_copy(in, item);

    if (url) {
      epi__check_hop(in, url);
      if (has_endpoint(function, url)) {
        epi__problem(in, "is there twice");
      }
      function->endpoints[function->endpoint_count++] = url;
    }
    epi__path_back(in, back);
  }
}

/* The number of instances or flows that a function may have, 0 for any. */
static uint32_t read_limit(epi__model_reader *in, const epi__json *value,
                           const char *key) {
  size_t back = epi__path_key(in, key);
  int limit = value ? (int)epi__read_whole(in, value, 1, EPI__LIMIT_MAX) : 0;

  epi__path_back(in, back);
  return (uint32_t)limit;
}

/* One unit of `complexity` weighs as much as one millisecond, and a flow is
 * taken to carry 1 MiB. */
static void read_cost(epi__model_reader *in, const epi__json *cost,
                      epi__function *function) {
  static const epi__key parts[EPI__COSTS + 1] = {
      [EPI__SETUP] = {"setup_ms", EPI__JSON_NUMBER, 0},
      [EPI__PER_FLOW] = {"per_flow_ms", EPI__JSON_NUMBER, 0},
      [EPI__PER_MIB] = {"per_mib_ms", EPI__JSON_NUMBER, 0},
      [EPI__COMPLEXITY] = {"complexity", EPI__JSON_NUMBER, 0},
  };
  const epi__json *values[EPI__COSTS];

  epi__read_members(in, cost, parts, values);
  for (size_t i = 0; i < EPI__COSTS; i++) {
    size_t back = epi__path_key(in, parts[i].name);
    double number = values[i] ? epi__json_number(values[i]) : 0;

    if (!(number >= 0 && number <= 1e12)) {
      epi__problem(in, "must be from 0 to 1e12");
    }
    function->costs[i] = number + 0.0; /* -0 becomes 0 */
    function->cost_ms += function->costs[i];
    epi__path_back(in, back);
  }
}

static void read_order(epi__model_reader *in, const epi__json *list,
                       const char *key, size_t self, epi__list *out) {
  size_t back = epi__path_key(in, key);

  epi__read_references(in, list, "function", &in->model->function_names,
                       EPI__VALUES_MAX, out);
  if (epi__list_has(out, (uint32_t)self)) {
    epi__problem(in, "a function is neither before nor after itself");
  }
  epi__path_back(in, back);
}

/* What the image is started with: kept as text, because only people and other
 * programs read it. */
static void read_options(epi__model_reader *in, const epi__json *options,
                         epi__function *function) {
  const epi__json *option = NULL;
  epi__names names = {0};
  epi__text text = {0};
  size_t number = 0;

  epi__read_names(in, options, EPI__VALUES_MAX, &names);
  epi__text_puts(&text, "{");
  while (!in->failed &&
         (option = epi__next_named(options, option, &names, &number))) {
    size_t back = epi__path_key(in, epi__json_key(option));
    const char *value = epi__read_string(in, option);

    epi__text_puts(&text, number ? "," : "");
    epi__json_put_string(&text, epi__json_key(option));
    epi__text_puts(&text, ":");
    epi__json_put_string(&text, value ? value : "");
    epi__path_back(in, back);
  }
  epi__text_puts(&text, "}");
  if (names.count) {
    function->options = epi__text_take(&text);
    in->failed |= !function->options;
  }
  epi__text_clear(&text);
  epi__names_clear(&names);
}

/* Returns 1 for "open", 0 for "closed", and for nothing. */
static int read_fail(epi__model_reader *in, const epi__json *value) {
  size_t back = epi__path_key(in, keys[FAIL].name);
  const char *text = epi__read_string(in, value);
  int open = text && !strcmp(text, "open");

  if (text && !open && strcmp(text, "closed")) {
    epi__problem(in, "must be \"open\" or \"closed\"");
  }
  epi__path_back(in, back);
  return open;
}

/* Returns 1 for "required", and for nothing, of what runs elsewhere; else 0. A
 * filter needs no proof: the proxy that it runs in vouches for it. */
static int read_proof(epi__model_reader *in, const epi__json *value,
                      const epi__function *function) {
  size_t back = epi__path_key(in, keys[PROOF].name);
  const char *text = epi__read_string(in, value);
  int none = text && !strcmp(text, "none");

  if (text && !none && strcmp(text, "required")) {
    epi__problem(in, "must be \"required\" or \"none\"");
  } else if (text && function->filter) {
    epi__problem(in, "is not for functions with \"filter\"");
  }
  epi__path_back(in, back);
  return !function->filter && !none;
}

static void read_function(epi__model_reader *in, const epi__json *value,
                          size_t number) {
  epi_model *model = in->model;
  epi__function *function = &model->functions[number];
  const epi__json *values[KEYS];
  size_t back;

  function->pair = EPI__NONE;
  function->provides = epi__alloc_array(model->words, sizeof(uint64_t));
  if (!function->provides) {
    in->failed = 1;
    return;
  }
  epi__read_members(in, value, keys, values);
  back = epi__path_key(in, keys[PROVIDES].name);
  epi__read_attributes(in, values[PROVIDES], function->provides);
  epi__path_back(in, back);

  if (values[FILTER] && values[ENDPOINTS]) {
    epi__problem(in, "has \"filter\" or \"endpoints\", not both");
  } else if (!values[FILTER] && !values[ENDPOINTS] && !values[IMAGE]) {
    epi__problem(in, "needs \"filter\", \"endpoints\", or an \"image\" to "
                     "start");
  }
  back = epi__path_key(in, keys[FILTER].name);
  function->filter = epi__read_copy(in, values[FILTER]);
  if (function->filter && function->filter[0] == ':') {
    epi__problem(in, "must be NAME or NAME:ARGS");
  }
  epi__path_back(in, back);
  back = epi__path_key(in, keys[ENDPOINTS].name);
  if (values[ENDPOINTS]) {
    read_endpoints(in, values[ENDPOINTS], function);
  }
  epi__path_back(in, back);
  function->instances = read_limit(in, values[INSTANCES], keys[INSTANCES].name);
  function->capacity = read_limit(in, values[CAPACITY], keys[CAPACITY].name);
  back = epi__path_key(in, keys[PAIR].name);
  function->pair =
      epi__read_reference(in, values[PAIR], "function", &model->function_names);
  epi__path_back(in, back);
  read_order(in, values[BEFORE], keys[BEFORE].name, number, &function->before);
  read_order(in, values[AFTER], keys[AFTER].name, number, &function->after);
  back = epi__path_key(in, keys[COST].name);
  read_cost(in, values[COST], function);
  epi__path_back(in, back);
  back = epi__path_key(in, keys[IMAGE].name);
  function->image = epi__read_copy(in, values[IMAGE]);
  epi__path_back(in, back);
  back = epi__path_key(in, keys[OPTIONS].name);
  if (values[OPTIONS]) {
    read_options(in, values[OPTIONS], function);
  }
  epi__path_back(in, back);
  function->fails_open = read_fail(in, values[FAIL]);
  function->proves = read_proof(in, values[PROOF], function);
}

/* Without one of a pair the other cannot make sense of the flow. */
static void check_fails(epi__model_reader *in) {
  epi_model *model = in->model;

  for (size_t i = 0; i < model->function_names.count; i++) {
    const epi__function *function = &model->functions[i];

    if (function->fails_open &&
        (function->pair != EPI__NONE || function->undoes)) {
      size_t back = epi__path_key(in, model->function_names.texts[i]);

      epi__path_key(in, keys[FAIL].name);
      epi__problem(in, "what has a pair, or is one, cannot fail open");
      epi__path_back(in, back);
    }
  }
}

/* What undoes another only ever runs with it, at the other end. */
static void check_pairs(epi__model_reader *in) {
  epi_model *model = in->model;

  for (size_t i = 0; i < model->function_names.count; i++) {
    uint32_t pair = model->functions[i].pair;
    size_t back;

    if (pair == EPI__NONE) {
      continue;
    }
    back = epi__path_key(in, model->function_names.texts[i]);
    epi__path_key(in, keys[PAIR].name);
    model->functions[pair].undoes = 1;
    if (pair == i) {
      epi__problem(in, "a function cannot undo itself");
    } else if (model->functions[pair].pair != EPI__NONE) {
      epi__problem(in, "\"%s\" has a pair of its own",
                   model->function_names.texts[pair]);
    } else if (epi__set_count(model->functions[pair].provides, model->words)) {
      epi__problem(in, "\"%s\" undoes a function, so it can provide nothing",
                   model->function_names.texts[pair]);
    }
    epi__path_back(in, back);
  }
}

/* Which functions others say something about, or say something themselves. */
static void find_ordered(epi_model *model) {
  for (size_t i = 0; i < model->function_names.count; i++) {
    epi__function *function = &model->functions[i];
    const epi__list *lists[2] = {&function->before, &function->after};

    for (size_t k = 0; k < 2; k++) {
      for (size_t n = 0; n < lists[k]->count; n++) {
        model->functions[lists[k]->items[n]].ordered = 1;
        function->ordered = 1;
      }
    }
    if (function->pair != EPI__NONE) {
      model->functions[function->pair].ordered = 1;
      function->ordered = 1;
    }
  }
}

void epi__read_functions(epi__model_reader *in, const epi__json *functions) {
  epi_model *model = in->model;
  const epi__json *function = NULL;
  size_t number = 0;

  model->functions =
      epi__alloc_array(model->function_names.count, sizeof *model->functions);
  if (!model->functions) {
    in->failed = 1;
    return;
  }
  while (!in->failed &&
         (function = epi__next_named(functions, function,
                                     &model->function_names, &number))) {
    size_t back = epi__path_key(in, epi__json_key(function));

    read_function(in, function, number);
    epi__path_back(in, back);
  }
  if (!in->failed) {
    check_pairs(in);
    check_fails(in);
    if (!in->problem_count) {
      find_ordered(model);
    }
  }
}
