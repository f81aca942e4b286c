/* test_policy_index.c: the rules that are tried are those that match. */
#include "area/rule_walk.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  NODES = 12,
  RULES = 60,
  MODELS = 100,
  FLOWS = 60,
};

static uint32_t drawn = 20251124;

static uint32_t draw(uint32_t below) { /* xorshift32 */
  drawn ^= drawn << 13;
  drawn ^= drawn >> 17;
  drawn ^= drawn << 5;
  return drawn % below;
}

static char text[65536];
static size_t used;

static void put(const char *format, ...) {
  va_list args;

  va_start(args, format);
  used += (size_t)vsnprintf(text + used, sizeof text - used, format, args);
  va_end(args);
}

static void put_parties(const char *key) {
  put(",'%s':[", key);
  switch (draw(8)) {
  case 0:
    put("'unknown'");
    break;
  case 1:
    put("'domain:d%u','n%u'", draw(3), draw(NODES));
    break;
  case 2:
    put("'has:t%u'", draw(4));
    break;
  case 3:
    put("'area:n%u','has:t%u'", draw(NODES), draw(4));
    break;
  case 4:
    put("'10.%u.0.0/16','10.0.0.0/%u'", draw(NODES), 8 + draw(4));
    break;
  case 5:
    put("'2001:db8::/%u','10.%u.0.%u'", 32 + draw(20), draw(NODES), draw(4));
    break;
  default:
    put("'n%u'", draw(NODES));
  }
  put("]");
}

static void put_rule(unsigned number) {
  static const char *const effects[] = {"allow", "deny", "require"};
  uint32_t effect = draw(3);

  put("%s{'id':'r%u','effect':'%s'", number ? "," : "", number,
      effects[effect]);
  if (effect == 2) {
    put(",'attributes':['t%u']", draw(4));
  }
  if (draw(2)) {
    put_parties("from");
  }
  if (draw(2)) {
    put_parties("to");
  }
  if (!draw(4)) {
    put(",'application':['a%u']", draw(2));
  }
  if (!draw(4)) {
    put(",'purpose':['p%u']", draw(4));
  }
  if (!draw(4)) {
    put(",'user':['u%u','u7']", draw(4));
  }
  if (!draw(4)) {
    put(",'ports':[%u,443]", 1 + draw(4));
  }
  put("}");
}

static epi_model *random_model(void) {
  used = 0;
  put("{'epi':1,'attributes':['t0','t1','t2','t3'],'nodes':{");
  for (unsigned i = 0; i < NODES; i++) {
    put("%s'n%u':{'domain':'d%u','addresses':['10.%u.0.0/16',"
        "'2001:db8:%u::/48']%s}",
        i ? "," : "", i, i % 3, i, i, i % 2 ? ",'attributes':['t1']" : "");
  }
  put("},'applications':{'a0':{'nodes':['n0','n1']},"
      "'a1':{'nodes':['n0','n2']}},'policy':{'rules':[");
  for (unsigned i = 0; i < RULES; i++) {
    put_rule(i);
  }
  put("]}}");
  return model_of(text);
}

static epi__end random_end(const epi_model *model, epi_addr *addr) {
  epi__end end = {.node = EPI__NONE, .ip = addr};
  char ip[64];
  ptrdiff_t node;

  if (!draw(3)) {
    end.node = draw(NODES);
    end.ip = NULL;
    return end;
  }
  if (draw(2)) {
    snprintf(ip, sizeof ip, "10.%u.0.%u", draw(NODES + 2), draw(4));
  } else {
    snprintf(ip, sizeof ip, "2001:db8:%u::%u", draw(NODES + 2), draw(4));
  }
  cr_assert_eq(epi_addr_parse(addr, ip, 0), 0);
  node = epi__node_lookup_find(&model->lookup, addr);
  end.node = node < 0 ? EPI__NONE : (uint32_t)node;
  return end;
}

static uint32_t random_value(const epi__names *names) {
  return draw(2) && names->count ? draw((uint32_t)names->count) : EPI__NONE;
}

static void check_flow(const epi_model *model) {
  epi_addr from, to;
  epi__facts facts = {.port = (int)draw(6), .authenticated = 1u << draw(5)};
  epi__rule_walk walk;
  uint32_t at = 0, rule;

  facts.from = random_end(model, &from);
  facts.to = random_end(model, &to);
  facts.values[EPI__BY_APPLICATION] = random_value(&model->application_names);
  for (int i = EPI__BY_PURPOSE; i < EPI__BY_COUNT; i++) {
    facts.values[i] = random_value(&model->terms);
  }
  epi__rule_walk_start(&walk, model, &facts);
  while ((rule = epi__rule_walk_next(&walk)) != EPI__NONE) {
    cr_assert_geq(rule, at, "out of order, or twice");
    for (; at < rule; at++) {
      cr_assert_not(epi__rule_matches(model, &model->rules[at], &facts),
                    "rule %u was passed over\n%s", (unsigned)at, text);
    }
    at = rule + 1;
  }
  for (; at < model->rule_names.count; at++) {
    cr_assert_not(epi__rule_matches(model, &model->rules[at], &facts),
                  "rule %u was passed over\n%s", (unsigned)at, text);
  }
}

Test(policy_index, no_rule_that_matches_is_passed_over) {
  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();

    for (int i = 0; i < FLOWS; i++) {
      check_flow(model);
    }
    epi_model_free(model);
  }
}

Test(policy_index, few_others_are_tried) {
  epi__facts facts = {.from = {.node = 3}, .to = {.node = 4}, .port = 0};
  epi__rule_walk walk;
  epi_model *model;
  size_t tried = 0;

  used = 0;
  put("{'epi':1,'nodes':{");
  for (unsigned i = 0; i < 200; i++) {
    put("%s'n%u':{}", i ? "," : "", i);
  }
  put("},'policy':{'rules':[");
  for (unsigned i = 0; i < 200; i++) {
    put("%s{'id':'r%u','effect':'deny','from':['n%u'],'ports':[1]}",
        i ? "," : "", i, i);
  }
  put("]}}");
  model = model_of(text);
  memset(facts.values, 0xff, sizeof facts.values);
  epi__rule_walk_start(&walk, model, &facts);
  while (epi__rule_walk_next(&walk) != EPI__NONE) {
    tried++;
  }
  cr_expect_eq(tried, 1);
  epi_model_free(model);
}

Test(policy_index, a_flow_in_very_many_ranges_tries_all_rules) {
  epi_addr ip;
  epi__facts facts = {.from = {.node = EPI__NONE, .ip = &ip},
                      .to = {.node = EPI__NONE, .ip = &ip}};
  epi__rule_walk walk;
  epi_model *model;

  used = 0;
  put("{'epi':1,'nodes':{'a':{},'b':{},'c':{}},'policy':{'rules':[");
  for (unsigned i = 0; i <= 128; i++) {
    put("%s{'id':'r%u','effect':'deny','from':['::/%u']}", i ? "," : "", i, i);
  }
  put("]}}");
  model = model_of(text);
  memset(facts.values, 0xff, sizeof facts.values);
  cr_assert_eq(epi_addr_parse(&ip, "::", 0), 0);
  epi__rule_walk_start(&walk, model, &facts);
  for (uint32_t i = 0; i <= 128; i++) {
    cr_expect_eq(epi__rule_walk_next(&walk), i);
  }
  cr_expect_eq(epi__rule_walk_next(&walk), EPI__NONE);
  epi_model_free(model);
}
