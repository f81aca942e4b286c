/* lint.c: what a model says in vain. */
#include "area/lint.h"
#include "epi/review.h"

#include "base/fail.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>

void epi__lint_begin(epi__lint *lint, const char *kind, const char *part,
                     const char *name, size_t index) {
  epi__text path = {0};

  epi__text_puts(&path, part);
  if (name) {
    epi__text_puts(&path, ".");
    epi__text_puts(&path, name);
  } else {
    epi__text_printf(&path, "[%zu]", index);
  }
  if (path.failed) {
    lint->text.failed = 1;
  } else if (lint->form == EPI_FORM_JSON) {
    epi__text_printf(&lint->text,
                     "%s{\"kind\":\"%s\",\"path\":", lint->count ? "," : "",
                     kind);
    epi__json_put_string(&lint->text, path.block);
    epi__text_puts(&lint->text, ",\"finding\":\"");
  } else {
    epi__text_puts(&lint->text, path.block);
    epi__text_puts(&lint->text, ": ");
  }
  epi__text_clear(&path);
  lint->count++;
}

void epi__lint_say(epi__lint *lint, const char *text) {
  epi__text quoted = {0};

  if (lint->form != EPI_FORM_JSON) {
    epi__text_puts(&lint->text, text);
    return;
  }
  epi__json_put_string(&quoted, text);
  if (quoted.failed) {
    lint->text.failed = 1;
  } else { /* without its quotes: it is a part of a string */
    epi__text_add(&lint->text, quoted.block + 1, quoted.len - 2);
  }
  epi__text_clear(&quoted);
}

void epi__lint_end(epi__lint *lint) {
  epi__text_puts(&lint->text, lint->form == EPI_FORM_JSON ? "\"}" : "\n");
}

void epi__lint_put(epi__lint *lint, const char *kind, const char *part,
                   const char *name, const char *text) {
  epi__lint_begin(lint, kind, part, name, 0);
  epi__lint_say(lint, text);
  epi__lint_end(lint);
}

/* ---- attributes and functions ---- */

/* What some node has or some rule requires; and what some node lacks of it. */
typedef struct sets {
  uint64_t *had, *required, *lacked;
} sets;

/* 1 if some rule is about destinations that are no nodes: they have nothing. */
static int admits_unknown(const epi_model *model) {
  for (size_t i = 0; i < model->rule_names.count; i++) {
    const epi__rule *rule = &model->rules[i];

    for (size_t k = 0; rule->effect == EPI__ALLOW && k < rule->to.count; k++) {
      if (rule->to.items[k].kind == EPI__PARTY_UNKNOWN ||
          rule->to.items[k].kind == EPI__PARTY_RANGE) {
        return 1;
      }
    }
  }
  return 0;
}

static int find_sets(const epi_model *model, sets *out) {
  out->had = epi__alloc_array(model->words, sizeof *out->had);
  out->required = epi__alloc_array(model->words, sizeof *out->required);
  out->lacked = epi__alloc_array(model->words, sizeof *out->lacked);
  if (!out->had || !out->required || !out->lacked) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < model->area_count; i++) {
    epi__set_join(out->had, epi__area_set(model, i), model->words);
  }
  for (size_t i = 0; i < model->rule_names.count; i++) {
    epi__set_join(out->required, model->rules[i].attributes, model->words);
  }
  if (admits_unknown(model)) {
    epi__set_join(out->lacked, out->had, model->words);
    epi__set_join(out->lacked, out->required, model->words);
  }
  for (size_t i = 0; i < model->area_count; i++) {
    const uint64_t *set = epi__area_set(model, i);

    for (size_t k = 0; k < model->words; k++) {
      out->lacked[k] |= (out->had[k] | out->required[k]) & ~set[k];
    }
  }
  return 0;
}

static void lint_attributes(epi__lint *lint, const sets *all) {
  const epi_model *model = lint->model;

  for (size_t i = 0; i < model->attributes.count; i++) {
    if (!epi__set_has(all->had, i) && !epi__set_has(all->required, i)) {
      epi__lint_put(lint, "unused-attribute", "attributes",
                    model->attributes.texts[i],
                    "no node has it, and no rule requires it");
    }
  }
}

/* 1 if a set shares something with two others. */
static int meets(const epi_model *model, const uint64_t *set, const uint64_t *a,
                 const uint64_t *b) {
  uint64_t shared = 0;

  for (size_t i = 0; i < model->words; i++) {
    shared |= set[i] & a[i] & b[i];
  }
  return shared != 0;
}

/* What becomes visible only between proxies: a function that is on the way from
 * one to the next, and can be skipped. */
static const char *find_unproven(const epi_model *model,
                                 const epi__function *function) {
  if (function->filter || model->proxy_names.count < 2) {
    return NULL;
  }
  if (!function->proves) {
    return "it proves nothing: who takes a request on its way there can have "
           "the next proxy take the flow without it";
  }
  for (size_t i = 0; i < function->endpoint_count; i++) {
    if (!strncmp(function->endpoints[i], "socks5", strlen("socks5"))) {
      return "it cannot prove by SOCKS 5 that it saw a flow, which the next "
             "proxy will ask for";
    }
  }
  return NULL;
}

static void lint_functions(epi__lint *lint, const sets *all) {
  const epi_model *model = lint->model;

  for (size_t i = 0; i < model->function_names.count; i++) {
    const epi__function *function = &model->functions[i];
    const uint64_t *provides = function->provides;
    const char *unproven = find_unproven(model, function);
    const char *finding = NULL;

    if (unproven) {
      epi__lint_put(lint, "no-proof", "functions",
                    model->function_names.texts[i], unproven);
    }
    if (function->undoes) {
      continue;
    }
    if (!epi__set_count(provides, model->words)) {
      finding = "it provides nothing and undoes nothing";
    } else if (!meets(model, provides, model->bridgeable, model->bridgeable)) {
      finding = "nothing that it provides is bridgeable";
    } else if (!meets(model, provides, all->lacked, model->bridgeable)) {
      finding = "no node ever lacks what it provides";
    }
    if (finding) {
      epi__lint_put(lint, "unused-function", "functions",
                    model->function_names.texts[i], finding);
    } else if (function->fails_open) {
      epi__lint_put(lint, "fail-open", "functions",
                    model->function_names.texts[i],
                    "it may fail open: flows then go on without what it "
                    "provides");
    }
  }
}

/* ---- nodes and proxies ---- */

static int mark_members(const epi_model *model, uint64_t *members) {
  int used = 0;

  for (size_t i = 0; i < model->application_names.count; i++) {
    const epi__list *nodes = &model->applications[i].nodes;

    for (size_t k = 0; k < nodes->count; k++) {
      epi__set_add(members, nodes->items[k]);
      used = 1;
    }
  }
  return used;
}

static void lint_nodes(epi__lint *lint) {
  const epi_model *model = lint->model;
  size_t count = model->node_names.count;
  uint64_t *members = epi__alloc_array(epi__set_words(count), sizeof *members);
  int used;

  if (!members) {
    lint->text.failed = 1;
    return;
  }
  used = mark_members(model, members);
  for (size_t i = 0; i < count; i++) {
    if (used && !epi__set_has(members, i)) {
      epi__lint_put(lint, "idle-node", "nodes", model->node_names.texts[i],
                    "it is in no application");
    }
    if (model->lookup.count && !model->nodes[i].entry_count) {
      epi__lint_put(lint, "unreachable-node", "nodes",
                    model->node_names.texts[i],
                    "it has no address and no host name, so it is never known "
                    "as an end of a connection");
    }
  }
  epi__free(members);
}

static void lint_proxies(epi__lint *lint) {
  const epi_model *model = lint->model;

  for (size_t i = 0; i < model->proxy_names.count; i++) {
    if (model->domain_proxy[model->proxies[i].domain] != i) {
      epi__lint_put(lint, "unused-proxy", "proxies",
                    model->proxy_names.texts[i],
                    "no plan uses it: another proxy of its domain comes first");
    }
  }
}

ptrdiff_t epi_model_lint(const epi_model *model, int form, char **out) {
  epi__lint lint = {.model = model, .form = form};
  sets all = {0};
  char *block = NULL;

  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  epi__text_puts(&lint.text, form == EPI_FORM_JSON ? "[" : "");
  if (!find_sets(model, &all)) {
    lint_attributes(&lint, &all);
    lint_nodes(&lint);
    lint_proxies(&lint);
    epi__lint_ports(&lint);
    lint_functions(&lint, &all);
    epi__lint_rules(&lint);
    epi__text_puts(&lint.text, form == EPI_FORM_JSON ? "]" : "");
    block = epi__text_take(&lint.text);
  }
  epi__text_clear(&lint.text);
  epi__free(all.had);
  epi__free(all.required);
  epi__free(all.lacked);
  if (!block) {
    return EPI_ENOMEM;
  }
  *out = block;
  return (ptrdiff_t)lint.count;
}
