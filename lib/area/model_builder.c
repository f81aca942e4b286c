/* model_builder.c: a model by calls. They write down what a document would say,
 * so that one reader checks both. */
#include "area/model_reader.h"

#include "base/memory.h"

#include <string.h>

struct epi_builder {
  epi__json *root;
  epi__json *proxy, *application; /* the last ones, or NULL */
  epi__json *at;                  /* what was added last */
};

int epi_builder_new(epi_builder **out) {
  epi_builder *builder = epi__alloc(sizeof *builder);

  if (!builder) {
    return EPI_ENOMEM;
  }
  builder->root = builder->at = epi__json_object();
  if (!builder->root ||
      !epi__json_put(builder->root, "epi", EPI__JSON_NUMBER, NULL, 1) ||
      !epi__json_put(builder->root, "nodes", EPI__JSON_OBJECT, NULL, 0)) {
    epi_builder_free(builder);
    return epi__fail(EPI_ENOMEM, "no memory for a builder");
  }
  *out = builder;
  return 0;
}

void epi_builder_free(epi_builder *builder) {
  if (builder) {
    epi__json_free(builder->root);
    epi__free(builder);
  }
}

static int check_text(const char *text) {
  size_t len = text ? strlen(text) : 0;

  if (!text) {
    return epi__fail(EPI_EINVAL, "a text is missing");
  }
  for (size_t i = 0; i < len;) {
    size_t step = epi__utf8_len((const uint8_t *)text + i, len - i);

    if (!step) {
      return epi__fail(EPI_EINVAL, "a text is not UTF-8");
    }
    i += step;
  }
  return 0;
}

static int no_memory(void) {
  return epi__fail(EPI_ENOMEM, "no memory to build a model");
}

/* The object or list under a key, which is added if it is not there. Returns 0,
 * EPI_EINVAL or EPI_ENOMEM. */
static int enter(epi__json *object, const char *key, int type,
                 epi__json **out) {
  epi__json *there = epi__json_member(object, key);

  if (!there) {
    there = epi__json_put(object, key, type, NULL, 0);
  }
  if (!there) {
    return no_memory();
  }
  if (epi__json_type(there) != type) {
    return epi__fail(EPI_EINVAL, "\"%s\" has a value of another kind", key);
  }
  *out = there;
  return 0;
}

/* ---- things ---- */

/* Add an object to the section, with up to two texts in it; a key that is NULL
 * has none. Nothing is added unless everything is. */
static int add(epi_builder *builder, epi__json *section, const char *name,
               const char *const keys[2], const char *const values[2]) {
  epi__json *thing = epi__json_object();

  for (size_t i = 0; i < 2 && thing; i++) {
    if (keys[i] &&
        !epi__json_put(thing, keys[i], EPI__JSON_STRING, values[i], 0)) {
      epi__json_free(thing);
      thing = NULL;
    }
  }
  if (!thing || !epi__json_take(section, name, thing)) {
    epi__json_free(thing);
    return no_memory();
  }
  builder->at = thing;
  return 0;
}

static int add_named(epi_builder *builder, const char *section,
                     const char *name, const char *key, const char *value) {
  const char *const keys[2] = {key}, *const values[2] = {value};
  epi__json *to = NULL;
  int result = check_text(name);

  if (!result && key) {
    result = check_text(value);
  }
  if (!result) {
    result = enter(builder->root, section, EPI__JSON_OBJECT, &to);
  }
  return result ? result : add(builder, to, name, keys, values);
}

int epi_builder_add_node(epi_builder *builder, const char *name) {
  return add_named(builder, "nodes", name, NULL, NULL);
}

int epi_builder_add_proxy(epi_builder *builder, const char *name,
                          const char *domain) {
  int result = add_named(builder, "proxies", name, "domain", domain);

  if (!result) {
    builder->proxy = builder->at;
  }
  return result;
}

int epi_builder_add_function(epi_builder *builder, const char *name) {
  return add_named(builder, "functions", name, NULL, NULL);
}

int epi_builder_add_application(epi_builder *builder, const char *name) {
  int result = add_named(builder, "applications", name, NULL, NULL);

  if (!result) {
    builder->application = builder->at;
  }
  return result;
}

/* Add an element with two texts to the list under a key. */
static int add_element(epi_builder *builder, epi__json *object, const char *key,
                       const char *const keys[2], const char *const values[2]) {
  epi__json *list = NULL;
  int result = check_text(values[0]);

  if (!result) {
    result = check_text(values[1]);
  }
  if (!result) {
    result = enter(object, key, EPI__JSON_LIST, &list);
  }
  return result ? result : add(builder, list, NULL, keys, values);
}

static int add_way(epi_builder *builder, epi__json *object, const char *key,
                   const char *from, const char *to) {
  static const char *const keys[2] = {"from", "to"};
  const char *const values[2] = {from, to};

  return add_element(builder, object, key, keys, values);
}

int epi_builder_add_port(epi_builder *builder, const char *from,
                         const char *to) {
  return builder->proxy
             ? add_way(builder, builder->proxy, "ports", from, to)
             : epi__fail(EPI_EINVAL, "a port needs a proxy before it");
}

int epi_builder_add_flow(epi_builder *builder, const char *from,
                         const char *to) {
  return builder->application
             ? add_way(builder, builder->application, "flows", from, to)
             : epi__fail(EPI_EINVAL, "a flow needs an application before it");
}

int epi_builder_add_rule(epi_builder *builder, const char *id,
                         const char *effect) {
  static const char *const keys[2] = {"id", "effect"};
  const char *const values[2] = {id, effect};
  epi__json *policy = NULL;
  int result = enter(builder->root, "policy", EPI__JSON_OBJECT, &policy);

  return result ? result : add_element(builder, policy, "rules", keys, values);
}

/* ---- what describes them ---- */

/* The object that a key is in: *key is then what stands behind the dot. */
static int find_object(epi_builder *builder, const char **key,
                       epi__json **out) {
  const char *dot;
  char *outer;
  int result = check_text(*key);

  if (result) {
    return result;
  }
  *out = builder->at;
  dot = strchr(*key, '.');
  if (!dot) {
    return 0;
  }
  outer = epi__strndup(*key, (size_t)(dot - *key));
  if (!outer) {
    return EPI_ENOMEM;
  }
  result = enter(builder->at, outer, EPI__JSON_OBJECT, out);
  epi__free(outer);
  *key = dot + 1;
  return result;
}

static int set(epi_builder *builder, const char *key, int type,
               const char *text, double number) {
  epi__json *object;
  int result = find_object(builder, &key, &object);

  if (result) {
    return result;
  }
  return epi__json_put(object, key, type, text, number) ? 0 : no_memory();
}

static int add_value(epi_builder *builder, const char *key, int type,
                     const char *text, double number) {
  epi__json *object = NULL, *list = NULL;
  int result = find_object(builder, &key, &object);

  if (!result) {
    result = enter(object, key, EPI__JSON_LIST, &list);
  }
  if (result) {
    return result;
  }
  return epi__json_put(list, NULL, type, text, number) ? 0 : no_memory();
}

int epi_builder_set_text(epi_builder *builder, const char *key,
                         const char *value) {
  int result = check_text(value);

  return result ? result : set(builder, key, EPI__JSON_STRING, value, 0);
}

int epi_builder_set_number(epi_builder *builder, const char *key,
                           double value) {
  return set(builder, key, EPI__JSON_NUMBER, NULL, value);
}

int epi_builder_add_text(epi_builder *builder, const char *key,
                         const char *value) {
  int result = check_text(value);

  return result ? result : add_value(builder, key, EPI__JSON_STRING, value, 0);
}

int epi_builder_add_number(epi_builder *builder, const char *key,
                           double value) {
  return add_value(builder, key, EPI__JSON_NUMBER, NULL, value);
}

int epi_builder_finish(const epi_builder *builder, epi_report *problems,
                       epi_model **out) {
  return epi__model_make(out, problems, builder->root);
}
