/* diff_put.c: what becomes of a flow in a new model, and why. */
#include "area/diff.h"
#include "area/rule_text.h"

#include "base/json.h"

#include <string.h>

static int allows(const epi__side *side) {
  return !side->model || (side->there && epi_decision_allowed(side->decision));
}

static int same_text(const char *a, const char *b) {
  return a == b || (a && b && !strcmp(a, b));
}

static int same_chain(const epi_plan *a, const epi_plan *b) {
  if (epi_plan_hop_count(a) != epi_plan_hop_count(b)) {
    return 0;
  }
  for (size_t hop = 0; hop < epi_plan_hop_count(a); hop++) {
    if (epi_plan_function_count(a, hop) != epi_plan_function_count(b, hop) ||
        !same_text(epi_plan_hop_proxy(a, hop), epi_plan_hop_proxy(b, hop)) ||
        !same_text(epi_plan_hop_endpoint(a, hop),
                   epi_plan_hop_endpoint(b, hop))) {
      return 0;
    }
    for (size_t i = 0; i < epi_plan_function_count(a, hop); i++) {
      if (!same_text(epi_plan_function_name(a, hop, i),
                     epi_plan_function_name(b, hop, i)) ||
          !same_text(epi_plan_function_filter(a, hop, i),
                     epi_plan_function_filter(b, hop, i)) ||
          !same_text(epi_plan_function_endpoint(a, hop, i),
                     epi_plan_function_endpoint(b, hop, i))) {
        return 0;
      }
    }
  }
  return 1;
}

int epi__diff_kind(const epi__diff *diff) {
  int before = allows(&diff->was), now = allows(&diff->is);

  if (before != now) {
    return now ? EPI__OPENS : EPI__CLOSES;
  }
  return !before || !diff->was.model ||
                 same_chain(epi_decision_plan(diff->was.decision),
                            epi_decision_plan(diff->is.decision))
             ? EPI__SAME
             : EPI__CHANGES;
}

/* ---- why ---- */

static void reason(epi__text *why, const char *text) {
  epi__text_puts(why, why->len ? "; " : "");
  epi__text_puts(why, text);
}

static int has_name(const epi_decision *decision, int which, const char *name) {
  for (size_t i = 0; i < epi_decision_attribute_count(decision, which); i++) {
    if (!strcmp(epi_decision_attribute(decision, which, i), name)) {
      return 1;
    }
  }
  return 0;
}

/* The attributes of a set that another decision does not have in it. */
static void more(epi__text *why, const char *what, const epi_decision *a,
                 const epi_decision *b, int which) {
  const char *before = "";

  for (size_t i = 0; i < epi_decision_attribute_count(a, which); i++) {
    const char *name = epi_decision_attribute(a, which, i);

    if (!has_name(b, which, name)) {
      if (!*before) {
        reason(why, what);
      }
      epi__text_puts(why, *before ? before : " ");
      epi__text_puts(why, name);
      before = ", ";
    }
  }
}

static int requires(const epi_decision *decision, const char *id) {
  for (size_t i = 0; i < epi_decision_require_count(decision); i++) {
    if (!strcmp(epi_decision_require(decision, i), id)) {
      return 1;
    }
  }
  return 0;
}

static void more_rules(epi__text *why, const char *what, const epi_decision *a,
                       const epi_decision *b) {
  for (size_t i = 0; i < epi_decision_require_count(a); i++) {
    const char *id = epi_decision_require(a, i);

    if (!requires(b, id)) {
      reason(why, "rule ");
      epi__json_put_string(why, id);
      epi__text_puts(why, what);
    }
  }
}

static void compare_rules(epi__text *why, const epi_decision *was,
                          const epi_decision *is) {
  const char *before = epi_decision_rule(was), *now = epi_decision_rule(is);

  if (strcmp(before, now) ||
      (was->verdict == EPI_DENIED) != (is->verdict == EPI_DENIED)) {
    reason(why, "rule ");
    epi__json_put_string(why, now);
    epi__text_puts(why, is->verdict == EPI_DENIED ? " denies it now, "
                                                  : " allows it now, ");
    epi__text_puts(why, "before that ");
    epi__json_put_string(why, before);
    epi__text_puts(why,
                   was->verdict == EPI_DENIED ? " denied it" : " allowed it");
  }
  more_rules(why, " requires more now", is, was);
  more_rules(why, " no longer requires anything", was, is);
}

/* What differs between two decisions, most telling first. */
static void find_reasons(epi__text *why, const epi__diff *diff) {
  const epi_decision *was = diff->was.decision, *is = diff->is.decision;

  if (!diff->is.there) {
    reason(why, "there is ");
    epi__text_puts(why, diff->is.lacks);
    epi__text_puts(why, " now");
    return;
  }
  if (!diff->was.model || !diff->was.there) {
    reason(why, diff->was.model ? "there was " : epi_decision_reason(is));
    epi__text_puts(why, diff->was.model ? diff->was.lacks : "");
    epi__text_puts(why, diff->was.model ? " before" : "");
    return;
  }
  compare_rules(why, was, is);
  more(why, "it now needs", is, was, EPI_NEED);
  more(why, "it no longer needs", was, is, EPI_NEED);
  more(why, "the destination now has", is, was, EPI_HAVE);
  more(why, "the destination no longer has", was, is, EPI_HAVE);
  if (is->verdict == EPI_UNBRIDGEABLE || is->verdict == EPI_UNPLACEABLE) {
    reason(why, epi_decision_reason(is));
  } else if (was->verdict == EPI_UNBRIDGEABLE ||
             was->verdict == EPI_UNPLACEABLE) {
    reason(why, "this is no longer so: ");
    epi__text_puts(why, epi_decision_reason(was));
  }
  if (!why->len) {
    reason(why, "the functions, proxies or their costs differ");
  }
}

/* ---- as text ---- */

static const char *const kinds[EPI__CHANGE_KINDS] = {
    [EPI__OPENS] = "opens",
    [EPI__CLOSES] = "closes",
    [EPI__CHANGES] = "changes",
};

static void tell_side(epi__text *out, const char *label,
                      const epi__side *side) {
  const epi_plan *plan;
  const char *before = " through ";

  if (!side->model) {
    return;
  }
  epi__text_printf(out, "    %s ", label);
  if (!side->there) {
    epi__text_printf(out, "not possible: %s\n", side->lacks);
    return;
  }
  plan = epi_decision_plan(side->decision);
  epi__text_puts(out, epi_verdict_name(epi_decision_verdict(side->decision)));
  for (size_t hop = 0; hop < epi_plan_hop_count(plan); hop++) {
    const char *proxy = epi_plan_hop_proxy(plan, hop);

    epi__text_puts(out, before);
    epi__text_puts(out, *proxy ? proxy : "the proxy");
    before = ", ";
    for (size_t i = 0; i < epi_plan_function_count(plan, hop); i++) {
      epi__text_puts(out, i ? ", " : ": ");
      epi__text_puts(out, epi_plan_function_name(plan, hop, i));
    }
    before = "; ";
  }
  epi__text_puts(out, "\n");
}

/* The side that knows the most about the flow. */
static const epi_decision *best(const epi__diff *diff) {
  return diff->is.there || !diff->was.model || !diff->was.there
             ? diff->is.decision
             : diff->was.decision;
}

static void tell(epi__diff *diff, int kind, const char *why) {
  const epi_decision *flow = best(diff);
  epi__text *out = &diff->text;

  epi__text_printf(out, "%-8s%s -> %s", kinds[kind], epi_decision_from(flow),
                   epi_decision_to(flow));
  if (flow->port) {
    epi__text_printf(out, ", port %d", flow->port);
  }
  if (*epi_decision_application(flow)) {
    epi__text_printf(out, ", application %s", epi_decision_application(flow));
  }
  if (diff->pairs > 1) {
    epi__text_printf(out, ", and %zu pairs like it", diff->pairs - 1);
  }
  epi__text_printf(out, "\n    because %s\n", why);
  tell_side(out, "was", &diff->was);
  tell_side(out, "is", &diff->is);
}

/* ---- as JSON ---- */

static void put_side(epi__text *out, const char *key, const epi__side *side) {
  epi__text_printf(out, ",\"%s\":", key);
  if (side->model && side->there) {
    epi__decision_put(out, side->decision);
  } else {
    epi__text_puts(out, "null");
  }
}

static void put(epi__diff *diff, int kind, ptrdiff_t index, const char *why) {
  const epi_decision *flow = best(diff);
  epi__text *out = &diff->text;

  epi__text_printf(out, "%s{\"change\":\"%s\"", diff->changes ? "," : "",
                   kinds[kind]);
  if (index >= 0) {
    epi__text_printf(out, ",\"flow\":%td", index);
  }
  epi__text_puts(out, ",\"from\":");
  epi__json_put_string(out, epi_decision_from(flow));
  epi__text_puts(out, ",\"to\":");
  epi__json_put_string(out, epi_decision_to(flow));
  if (flow->port) {
    epi__text_printf(out, ",\"port\":%d", flow->port);
  } else {
    epi__text_puts(out, ",\"port\":null");
  }
  epi__text_puts(out, ",\"application\":");
  epi__json_put_string(out, epi_decision_application(flow));
  epi__text_printf(out, ",\"pairs\":%zu,\"because\":", diff->pairs);
  epi__json_put_string(out, why);
  put_side(out, "was", &diff->was);
  put_side(out, "is", &diff->is);
  epi__text_puts(out, "}");
}

void epi__diff_put(epi__diff *diff, int kind, ptrdiff_t index) {
  epi__text why = {0};

  find_reasons(&why, diff);
  diff->text.failed |= why.failed || !why.block;
  if (diff->text.failed) {
    epi__text_clear(&why);
    diff->text.failed = 1;
    return;
  }
  if (diff->form == EPI_FORM_JSON) {
    put(diff, kind, index, why.block);
  } else {
    tell(diff, kind, why.block);
  }
  diff->changes += diff->pairs;
  epi__text_clear(&why);
}
