/* explain_text.c: a decision as a person would tell it, rule by rule. */
#include "area/explain.h"
#include "area/flow_query.h"

#include "base/json.h"

static double cost_of(const epi_model *model, uint32_t number) {
  const epi__function *function = &model->functions[number];

  return function->cost_ms + (function->pair == EPI__NONE
                                  ? 0
                                  : model->functions[function->pair].cost_ms);
}

static void tell_addr(epi__story *s, const epi_addr *addr) {
  char text[EPI_ADDR_TEXT_MAX];

  epi_addr_format(addr, 0, text, sizeof text);
  epi__text_puts(&s->text, text);
}

/* A node; or `unknown`, with the address that it was asked about by. */
static void tell_name(epi__story *s, const char *name, const epi__end *end,
                      const epi__query_end *asked) {
  epi__text_puts(&s->text, name);
  if (end->node == EPI__NONE) {
    epi__text_puts(&s->text, " (");
    tell_addr(s, &asked->addr);
    epi__text_puts(&s->text, ")");
  }
}

static void tell_end(epi__story *s, const char *verb, const epi__end *end,
                     const epi__query_end *asked) {
  const epi_model *model = s->model;

  epi__text_printf(&s->text, "  %s ", verb);
  if (!asked->node) {
    tell_addr(s, &asked->addr);
    epi__text_puts(&s->text, ", ");
  }
  if (end->node == EPI__NONE) {
    epi__text_puts(&s->text, "which is no node of the model: it has nothing\n");
    return;
  }
  epi__text_printf(&s->text, "node %s", model->node_names.texts[end->node]);
  if (model->nodes[end->node].domain != EPI__NONE) {
    epi__text_printf(&s->text, " in domain %s",
                     model->domains.texts[model->nodes[end->node].domain]);
  }
  epi__text_puts(&s->text, ", which has ");
  epi__attributes_tell(&s->text, model, epi__node_set(model, end->node),
                       "nothing");
  epi__text_puts(&s->text, "\n");
}

static void tell_flow(epi__story *s) {
  const epi_decision *decision = s->decision;
  const uint32_t application = decision->application;

  tell_name(s, epi_decision_from(decision), &s->facts.from, &s->query->from);
  epi__text_puts(&s->text, " -> ");
  tell_name(s, epi_decision_to(decision), &s->facts.to, &s->query->to);
  if (decision->port) {
    epi__text_printf(&s->text, ", port %d", decision->port);
  }
  epi__text_printf(&s->text, ": %s, %s\n\nThe flow\n",
                   epi_decision_allowed(decision) ? "allowed" : "refused",
                   epi_verdict_name(decision->verdict));
  tell_end(s, "comes from", &s->facts.from, &s->query->from);
  tell_end(s, "goes to", &s->facts.to, &s->query->to);
  if (application == EPI__NONE) {
    epi__text_puts(&s->text, "  is part of no application\n");
  } else {
    epi__text_printf(&s->text, "  is part of application %s\n",
                     s->model->application_names.texts[application]);
  }
  for (int i = EPI__BY_PURPOSE; i < EPI__BY_COUNT; i++) {
    if (s->facts.values[i] != EPI__NONE) {
      epi__text_printf(&s->text, "  has the %s %s\n",
                       epi__criterion_name(EPI__ON_VALUES + i),
                       s->model->terms.texts[s->facts.values[i]]);
    }
  }
  if (s->query->authenticated) {
    epi__text_puts(&s->text, "  is authenticated by ");
    epi__auth_put(&s->text, s->facts.authenticated, " and ");
    epi__text_puts(&s->text, "\n");
  }
}

static void tell_unmet(epi__story *s, const epi__rule *rule) {
  const char *before = "";

  for (int i = 0; i < EPI__ON_COUNT; i++) {
    if (epi__criterion_met(s->model, rule, i, &s->facts)) {
      continue;
    }
    epi__text_printf(&s->text, "%s`%s` must be ", before,
                     epi__criterion_name(i));
    epi__criterion_put(&s->text, s->model, rule, i);
    epi__text_puts(&s->text, "; it is ");
    epi__fact_put(&s->text, s->model, i, &s->facts);
    before = "\n       and ";
  }
}

static void tell_rule(epi__story *s, uint32_t number) {
  const epi__rule *rule = &s->model->rules[number];

  epi__text_printf(&s->text, "  %u. %s (%s) ", number + 1,
                   s->model->rule_names.texts[number],
                   epi__effect_name(rule->effect));
  if (number == s->decision->rule) {
    epi__text_printf(&s->text, "matches and decides: %s", rule->says);
  } else if (epi__story_requires(s, number)) {
    epi__text_puts(&s->text, "matches: it adds ");
    epi__attributes_tell(&s->text, s->model, epi__story_adds(s, number),
                         "nothing that was not needed already");
    epi__text_puts(&s->text, rule->reason ? ", because: " : "");
    epi__text_puts(&s->text, rule->reason ? rule->reason : "");
  } else {
    epi__text_puts(&s->text, "does not match\n       ");
    tell_unmet(s, rule);
  }
  epi__text_puts(&s->text, "\n");
}

static void tell_rules(epi__story *s) {
  size_t rules = s->model->rule_names.count;
  int known = s->facts.from.node != EPI__NONE && s->facts.to.node != EPI__NONE;

  epi__text_puts(&s->text, "\nThe rules, in order\n");
  for (uint32_t i = 0; i < s->tried; i++) {
    tell_rule(s, i);
  }
  if (s->decision->rule == EPI__NONE) {
    epi__text_printf(&s->text, "  default (%s) decides: %s\n",
                     s->model->default_allow && known ? "allow" : "deny",
                     s->model->default_allow && !known
                         ? "it never admits what is unknown"
                         : "no allow or deny rule matches");
  } else if (s->tried < rules) {
    epi__text_printf(&s->text, "  after that, %zu more %s not tried\n",
                     rules - s->tried, rules - s->tried == 1 ? "is" : "are");
  }
}

static void tell_function(epi__story *s, size_t hop, size_t index) {
  const char *proxy = epi_plan_hop_proxy(epi_decision_plan(s->decision), hop);
  uint32_t number = epi__story_function(s, hop, index);
  uint32_t undone = epi__story_undone(s, number);
  const char *before = "; instead, there would be ";

  epi__text_printf(&s->text, "  at %s, %s ", *proxy ? proxy : "the proxy",
                   s->model->function_names.texts[number]);
  if (undone != EPI__NONE) {
    epi__text_printf(&s->text, "undoes %s\n",
                     s->model->function_names.texts[undone]);
    return;
  }
  epi__text_puts(&s->text, "applies ");
  epi__attributes_tell(&s->text, s->model, epi__story_applies(s, number),
                       "nothing");
  epi__text_puts(&s->text, " for ");
  epi__json_put_number(&s->text, cost_of(s->model, number));
  epi__text_puts(&s->text, " ms");
  if (s->model->functions[number].fails_open) {
    epi__text_puts(&s->text, ", and is left out if it fails");
  }
  for (uint32_t i = 0; i < s->model->function_names.count; i++) {
    if (epi__story_alternative(s, i)) {
      epi__text_printf(&s->text, "%s%s (", before,
                       s->model->function_names.texts[i]);
      epi__json_put_number(&s->text, cost_of(s->model, i));
      epi__text_puts(&s->text, " ms)");
      before = ", ";
    }
  }
  epi__text_puts(&s->text, "\n");
}

static void tell_chain(epi__story *s) {
  const epi_plan *plan = epi_decision_plan(s->decision);

  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      tell_function(s, hop, i);
    }
  }
  epi__text_puts(&s->text, "  together ");
  epi__json_put_number(&s->text, epi_plan_cost_ms(plan));
  epi__text_printf(&s->text, " ms for one flow of 1 MiB: %s\n",
                   epi_plan_optimal(plan)
                       ? "no chain that fits costs less"
                       : "the search was bounded, a cheaper one may exist");
}

/* All proxies, also those that run no functions. */
static void tell_way(epi__story *s) {
  const epi_plan *plan = epi_decision_plan(s->decision);

  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    epi__text_printf(&s->text, "%s%s", hop ? ", then " : "\nThe way\n  passes ",
                     *proxy ? proxy : "the proxy");
  }
  epi__text_puts(&s->text, epi_plan_hop_count(plan) ? "\n" : "");
}

static void tell_gap(epi__story *s) {
  const epi_decision *decision = s->decision;

  epi__text_puts(&s->text, "\nThe protection\n  needs ");
  epi__attributes_tell(&s->text, s->model,
                       epi__decision_set(decision, EPI_NEED), "nothing");
  epi__text_puts(&s->text, "\n  finds ");
  epi__attributes_tell(&s->text, s->model,
                       epi__decision_set(decision, EPI_HAVE), "nothing");
  epi__text_puts(&s->text, " at the destination\n  lacks ");
  epi__attributes_tell(&s->text, s->model, epi__story_missing(s), "nothing");
  epi__text_puts(&s->text, "\n");
  if (decision->verdict == EPI_BRIDGED) {
    epi__text_puts(&s->text, "\nThe functions that apply it\n");
    tell_chain(s);
  } else if (decision->verdict == EPI_UNBRIDGEABLE ||
             decision->verdict == EPI_UNPLACEABLE) {
    epi__text_printf(&s->text, "\nNo chain: %s\n", decision->reason);
  }
}

void epi__story_tell(epi__story *s) {
  tell_flow(s);
  tell_rules(s);
  tell_gap(s);
  tell_way(s);
}
