/* judge.c: policy, gap and chain make a verdict. */
#include "area/decision.h"
#include "area/rule_walk.h"

#include <inttypes.h>
#include <string.h>

/* Is a rule out of the question only because a private address is not what its
 * `unknown` means? */
static int stops_at_private(const epi_model *model, const epi__rule *rule,
                            const epi__facts *facts) {
  epi__facts other = *facts;

  other.to.is_private = 0;
  return facts->to.is_private && rule->effect == EPI__ALLOW &&
         epi__rule_matches(model, rule, &other);
}

/* Every require that matches before the rule that decides adds its attributes;
 * allow or deny ends the search. Returns 1 if the flow is allowed, 0 if not, or
 * EPI_ENOMEM. */
static int run_policy(epi_decision *out, const epi__facts *facts) {
  const epi_model *model = out->model;
  int known = facts->from.node != EPI__NONE && facts->to.node != EPI__NONE;
  int stopped = 0;
  epi__rule_walk walk;
  uint32_t i;

  epi__rule_walk_start(&walk, model, facts);
  while ((i = epi__rule_walk_next(&walk)) != EPI__NONE) {
    const epi__rule *rule = &model->rules[i];

    if (!epi__rule_matches(model, rule, facts)) {
      stopped |= stops_at_private(model, rule, facts);
      continue;
    }
    if (rule->effect != EPI__REQUIRE) {
      out->rule = i;
      out->reason = rule->says;
      return rule->effect == EPI__ALLOW;
    }
    if (epi__list_add(&out->requires, i)) {
      return EPI_ENOMEM;
    }
    epi__set_join(epi__decision_set(out, EPI_NEED), rule->attributes,
                  model->words);
  }
  if (!known) {
    out->reason = stopped
                      ? "a private address that no node has"
                      : "no rule allows an end that is no node of the model";
    return 0;
  }
  out->reason = model->default_allow ? "everything is allowed by default"
                                     : "no rule allows it";
  return model->default_allow;
}

static void find_gap(epi_decision *out, const epi__facts *facts) {
  const epi_model *model = out->model;
  uint64_t *need = epi__decision_set(out, EPI_NEED);
  uint64_t *have = epi__decision_set(out, EPI_HAVE);
  uint64_t *missing = epi__decision_set(out, EPI_MISSING);

  if (facts->from.node != EPI__NONE) {
    epi__set_join(need, epi__node_set(model, facts->from.node), model->words);
  }
  if (facts->to.node != EPI__NONE) {
    epi__set_join(have, epi__node_set(model, facts->to.node), model->words);
  }
  epi__set_join(missing, need, model->words);
  epi__set_drop(missing, have, model->words);
}

/* Say what is missing and cannot be bridged. */
static void say_unbridgeable(epi_decision *out) {
  const epi_model *model = out->model;
  const uint64_t *missing = epi__decision_set(out, EPI_MISSING);
  const char *before = "nothing may bridge ";

  for (ptrdiff_t at = 0;
       (at = epi__set_next(missing, model->words, (size_t)at)) >= 0; at++) {
    if (!epi__set_has(model->bridgeable, (size_t)at)) {
      epi__text_puts(&out->text, before);
      epi__text_puts(&out->text, model->attributes.texts[at]);
      before = ", ";
    }
  }
}

static const char *function_name(const epi_decision *out, uint32_t function) {
  return out->model->function_names.texts[function];
}

static const char *domain_name(const epi_decision *out, uint32_t domain) {
  return domain == EPI__NONE ? NULL : out->model->domains.texts[domain];
}

/* "domain NAME has no proxy to ..." */
static void say_no_proxy(epi_decision *out, const char *end, uint32_t domain,
                         const char *what) {
  const char *name = domain_name(out, domain);

  if (name) {
    epi__text_printf(&out->text, "domain \"%s\" has no proxy to %s", name,
                     what);
  } else {
    epi__text_printf(&out->text,
                     "%s is in no domain, so no proxy is there to "
                     "%s",
                     end, what);
  }
}

/* In a model that does not limit the instances, those at endpoints are all, and
 * one alone is started. */
static void say_full(epi_decision *out, uint32_t number) {
  const epi__function *function = &out->model->functions[number];
  uint32_t count = function->instances ? function->instances
                   : function->endpoint_count
                       ? (uint32_t)function->endpoint_count
                       : 1;

  epi__text_printf(&out->text,
                   "\"%s\" has as many flows as its %" PRIu32
                   " instance%s can carry, %" PRIu32 " each",
                   function_name(out, number), count, count == 1 ? "" : "s",
                   function->capacity);
}

static void say_unplaceable(epi_decision *out, const epi__site *site,
                            const epi__misfit *misfit) {
  epi__text *text = &out->text;
  const char *a = "", *b = "";
  char what[EPI_NAME_MAX + 16] = "run ";

  if (misfit->why >= EPI__NO_DESTINATION && misfit->why < EPI__TOO_LONG) {
    a = function_name(out, misfit->a);
    b = function_name(out, misfit->b);
  }
  switch (misfit->why) {
  case EPI__NO_SOURCE:
    say_no_proxy(out, "the source", site->source_domain, "run functions");
    break;
  case EPI__NO_WAY:
    epi__text_printf(text,
                     "\"%s\" cannot reach \"%s\", not even through other "
                     "proxies",
                     out->model->proxy_names.texts[site->source],
                     out->model->proxy_names.texts[site->destination]);
    break;
  case EPI__NO_ROOM:
    say_full(out, misfit->a);
    break;
  case EPI__NO_DESTINATION:
    memcpy(what + 4, b, strlen(b) + 1);
    say_no_proxy(out, "the destination", site->destination_domain, what);
    epi__text_printf(text, ", which undoes \"%s\"", a);
    break;
  case EPI__CIRCLE:
    epi__text_printf(text,
                     "\"%s\" and \"%s\" would each have to come before "
                     "the other",
                     a, b);
    break;
  case EPI__OUT_OF_PROCESS:
    epi__text_printf(text,
                     "\"%s\" must come before \"%s\", but it runs at an "
                     "endpoint, and \"%s\" in the proxy that the flow has left "
                     "by then",
                     a, b, b);
    break;
  case EPI__TOO_LATE:
    epi__text_printf(text,
                     "\"%s\" must come before \"%s\", but it runs at the "
                     "destination and \"%s\" at the source",
                     a, b, b);
    break;
  case EPI__TOO_LONG:
    epi__text_printf(text, "the chain would have more than %d functions",
                     EPI__CHAIN_MAX);
    break;
  default:
    epi__text_puts(text, "no chain was found");
  }
}

static uint32_t proxy_of(const epi_model *model, uint32_t domain) {
  return domain == EPI__NONE ? EPI__NONE : model->domain_proxy[domain];
}

static epi__site site_of(const epi_model *model, const epi__facts *facts) {
  epi__site site = {.unchecked = !model->proxy_names.count,
                    .choice = facts->choice};
  int known = facts->from.node != EPI__NONE && facts->to.node != EPI__NONE;

  site.source_domain = facts->from.node == EPI__NONE
                           ? EPI__NONE
                           : model->nodes[facts->from.node].domain;
  site.destination_domain = facts->to.node == EPI__NONE
                                ? EPI__NONE
                                : model->nodes[facts->to.node].domain;
  site.source = proxy_of(model, site.source_domain);
  site.destination = proxy_of(model, site.destination_domain);
  site.one_hop = site.unchecked ||
                 (known && facts->from.node == facts->to.node) ||
                 (site.source_domain != EPI__NONE &&
                  site.source_domain == site.destination_domain);
  if (!site.one_hop && site.source != EPI__NONE &&
      site.destination != EPI__NONE) {
    site.path_count =
        epi__proxy_way(model, site.source, site.destination, site.path);
  }
  return site;
}

static int bridge(epi_decision *out, const epi__facts *facts) {
  const epi_model *model = out->model;
  const uint64_t *missing = epi__decision_set(out, EPI_MISSING);
  epi__site site = site_of(model, facts);
  epi__chain chain;
  epi__misfit misfit = {.why = EPI__FITS};

  if (epi__set_next(missing, model->words, 0) < 0 && epi__site_is_cut(&site)) {
    misfit.why = EPI__NO_WAY;
    out->verdict = EPI_UNPLACEABLE;
    say_unplaceable(out, &site, &misfit);
  } else if (epi__set_next(missing, model->words, 0) < 0) {
    chain.count = 0;
    chain.cost_ms = 0;
    chain.optimal = 1;
    out->verdict = EPI_DIRECT;
  } else if (!epi__set_within(missing, model->bridgeable, model->words)) {
    out->verdict = EPI_UNBRIDGEABLE;
    say_unbridgeable(out);
  } else if (!epi__chain_find(model, &site, missing, &chain, &misfit)) {
    out->verdict = EPI_UNPLACEABLE;
    say_unplaceable(out, &site, &misfit);
  } else {
    out->verdict = EPI_BRIDGED;
  }
  if (out->verdict != EPI_DIRECT && out->verdict != EPI_BRIDGED) {
    out->reason = out->text.block;
    return out->text.failed ? EPI_ENOMEM : 0;
  }
  epi__plan_make(&out->plan, model, &site, &chain);
  return 0;
}

int epi__judge(epi_decision *out, const epi__facts *facts) {
  int allowed;

  out->from = facts->from.node;
  out->to = facts->to.node;
  out->port = facts->port;
  out->application = facts->values[EPI__BY_APPLICATION];
  out->verdict = EPI_DENIED;
  out->rule = EPI__NONE;
  out->requires.count = 0;
  out->text.len = 0;
  out->text.failed = 0;
  epi__plan_clear(&out->plan);
  memset(out->sets, 0, EPI__SETS * out->words * sizeof *out->sets);
  allowed = run_policy(out, facts);
  if (allowed < 0) {
    return allowed;
  }
  find_gap(out, facts);
  return allowed ? bridge(out, facts) : 0;
}
