/* model_policy.c: the rules. */
#include "area/model_reader.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum {
  ID,
  EFFECT,
  REASON,
  ATTRIBUTES,
  FROM,
  TO,
  APPLICATION,
  PURPOSE,
  DATASET,
  USER,
  CONSENT,
  AUTHENTICATED,
  PORTS,
  TIME,
  KEYS,
};

static const epi__key keys[KEYS + 1] = {
    [ID] = {"id", EPI__JSON_STRING, 1},
    [EFFECT] = {"effect", EPI__JSON_STRING, 1},
    [REASON] = {"reason", EPI__JSON_STRING, 0},
    [ATTRIBUTES] = {"attributes", EPI__JSON_LIST, 0},
    [FROM] = {"from", EPI__JSON_LIST, 0},
    [TO] = {"to", EPI__JSON_LIST, 0},
    [APPLICATION] = {"application", EPI__JSON_LIST, 0},
    [PURPOSE] = {"purpose", EPI__JSON_LIST, 0},
    [DATASET] = {"dataset", EPI__JSON_LIST, 0},
    [USER] = {"user", EPI__JSON_LIST, 0},
    [CONSENT] = {"consent", EPI__JSON_LIST, 0},
    [AUTHENTICATED] = {"authenticated", EPI__JSON_LIST, 0},
    [PORTS] = {"ports", EPI__JSON_LIST, 0},
    [TIME] = {"time", EPI__JSON_OBJECT, 0},
};

/* Number the rule: its id is a name of its own. */
static int read_id(epi__model_reader *in, const epi__json *value) {
  size_t back = epi__path_key(in, keys[ID].name);
  size_t count = in->model->rule_names.count;
  const char *id = epi__read_string(in, value);
  int fine = 0;

  if (!id || !epi__check_name(in, id)) {
    fine = 0; /* said */
  } else if (!strcmp(id, "default")) {
    epi__problem(in, "\"default\" is reserved for the default");
  } else if (epi__number_of(in, &in->model->rule_names, id) == count) {
    fine = 1;
  } else if (!in->failed) {
    epi__problem(in, "another rule has this id");
  }
  epi__path_back(in, back);
  return fine;
}

static int read_effect(epi__model_reader *in, const epi__json *value) {
  static const char *const names[] = {
      [EPI__ALLOW] = "allow",
      [EPI__DENY] = "deny",
      [EPI__REQUIRE] = "require",
  };
  size_t back = epi__path_key(in, keys[EFFECT].name);
  const char *text = epi__read_string(in, value);
  int effect = EPI__DENY;

  for (size_t i = 0; text && i < sizeof names / sizeof *names; i++) {
    if (!strcmp(text, names[i])) {
      effect = (int)i;
      text = NULL;
    }
  }
  if (text) {
    epi__problem(in, "must be \"allow\", \"deny\" or \"require\"");
  }
  epi__path_back(in, back);
  return effect;
}

/* What a person is told when this rule decides. */
static char *say(const epi__rule *rule, const char *id) {
  char text[EPI_NAME_MAX + 64];

  if (rule->reason) {
    return epi__strdup(rule->reason);
  }
  snprintf(text, sizeof text, "rule \"%s\" %s", id,
           rule->effect == EPI__ALLOW ? "allows it" : "denies it");
  return epi__strdup(text);
}

static void read_required(epi__model_reader *in, const epi__json *list,
                          epi__rule *rule) {
  size_t back = epi__path_key(in, keys[ATTRIBUTES].name);

  if (rule->effect != EPI__REQUIRE && list) {
    epi__problem(in, "is for rules with effect \"require\"");
  } else if (rule->effect == EPI__REQUIRE && !list) {
    epi__problem(in, "is missing");
  } else {
    epi__check_filled(in, list);
    epi__read_attributes(in, list, rule->attributes);
  }
  epi__path_back(in, back);
}

static void read_criteria(epi__model_reader *in, const epi__json **values,
                          epi__rule *rule) {
  for (int i = FROM; i < KEYS; i++) {
    size_t back = epi__path_key(in, keys[i].name);

    if (i != TIME) {
      epi__check_filled(in, values[i]); /* it would match nothing */
    }
    switch (i) {
    case FROM:
    case TO:
      epi__read_parties(in, values[i], i == FROM ? &rule->from : &rule->to);
      break;
    case APPLICATION:
      epi__read_references(in, values[i], "application",
                           &in->model->application_names, EPI__VALUES_MAX,
                           &rule->values[EPI__BY_APPLICATION]);
      break;
    case AUTHENTICATED:
      rule->authenticated = epi__read_authenticated(in, values[i]);
      break;
    case PORTS:
      epi__read_ports(in, values[i], &rule->ports);
      break;
    case TIME:
      epi__read_window(in, values[i], &rule->window);
      break;
    default: /* free words, in the order of EPI__BY_* */
      epi__read_terms(in, values[i],
                      &rule->values[EPI__BY_APPLICATION + i - APPLICATION]);
    }
    epi__path_back(in, back);
  }
}

static void read_rule(epi__model_reader *in, const epi__json *value,
                      epi__rule *rule) {
  epi_model *model = in->model;
  const epi__json *values[KEYS];
  size_t back;
  int named;

  epi__read_members(in, value, keys, values);
  named = read_id(in, values[ID]);
  rule->effect = read_effect(in, values[EFFECT]);
  back = epi__path_key(in, keys[REASON].name);
  rule->reason = epi__read_copy(in, values[REASON]);
  epi__path_back(in, back);
  rule->attributes = epi__alloc_array(model->words, sizeof(uint64_t));
  rule->says = say(rule, named ? epi__json_string(values[ID]) : "");
  if (!rule->attributes || !rule->says) {
    in->failed = 1;
    return;
  }
  read_required(in, values[ATTRIBUTES], rule);
  read_criteria(in, values, rule);
}

/* Rules without a good id are read too, for their problems, into a slot that
 * the next rule then overwrites. */
static void read_rules(epi__model_reader *in, const epi__json *list) {
  epi_model *model = in->model;
  const epi__json *item = epi__json_first(list);
  size_t count = 0, capacity = 0;

  if (epi__too_long(in, list, EPI__RULES_MAX)) {
    return;
  }
  for (; item; item = epi__json_next(item)) {
    capacity++;
  }
  model->rules = epi__alloc_array(capacity + 1, sizeof *model->rules);
  if (!model->rules) {
    in->failed = 1;
    return;
  }
  item = epi__json_first(list);
  for (size_t i = 0; item && !in->failed; item = epi__json_next(item), i++) {
    size_t back = epi__path_index(in, i);

    read_rule(in, item, &model->rules[count]);
    if (model->rule_names.count > count) {
      count++;
    } else {
      epi__rule_clear(&model->rules[count]);
    }
    epi__path_back(in, back);
  }
}

void epi__read_policy(epi__model_reader *in, const epi__json *policy) {
  static const epi__key parts[] = {
      {"default", EPI__JSON_STRING, 0},
      {"rules", EPI__JSON_LIST, 0},
      {NULL, 0, 0},
  };
  const epi__json *values[2];
  size_t back;

  epi__read_members(in, policy, parts, values);
  back = epi__path_key(in, parts[0].name);
  if (values[0]) {
    const char *text = epi__json_string(values[0]);

    in->model->default_allow = !strcmp(text, "allow");
    if (!in->model->default_allow && strcmp(text, "deny")) {
      epi__problem(in, "must be \"allow\" or \"deny\"");
    }
  }
  epi__path_back(in, back);
  back = epi__path_key(in, parts[1].name);
  if (values[1]) {
    read_rules(in, values[1]);
  }
  epi__path_back(in, back);
}
