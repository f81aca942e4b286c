/* test_rule_union.c: a rule that is found to be shadowed never matches. */
#include "area/rule_cover.h"

#include "support/model_text.h"
#include "support/random_document.h"

#include <criterion/criterion.h>

enum {
  MODELS = 2000,
  FLOWS = 300,
  RULES = 12,
};

static const char *one_of(const char *const *words, uint32_t count) {
  return words[draw(count)];
}

static void put_means(epi__text *out) {
  unsigned set = 1 + draw(EPI__AUTH_ALL);

  epi__text_puts(out, ",\"authenticated\":[\"");
  epi__auth_put(out, set, "\",\"");
  epi__text_puts(out, "\"]");
}

/* Few rules over few words, so that some cover others. */
static void put_rule(epi__text *out, unsigned number) {
  static const char *const effects[] = {
      "allow", "deny", "deny",
      "require\",\"attributes\":[\"x\"],\"reason\":\"r"};
  static const char *const ends[] = {
      "a",        "b",      "c",       "d",          "has:x",
      "domain:d", "area:a", "unknown", "10.0.0.0/8", "0.0.0.0/0"};

  epi__text_printf(out, "%s{\"id\":\"%u\",\"effect\":\"%s\"", number ? "," : "",
                   number, one_of(effects, 4));
  for (int i = 0; i < 2; i++) {
    if (!draw(3)) {
      uint32_t first = draw(10);

      epi__text_printf(out, ",\"%s\":[\"%s\",\"%s\"]", i ? "to" : "from",
                       ends[first], ends[(first + 1 + draw(9)) % 10]);
    }
  }
  if (draw(2)) {
    epi__text_printf(out, ",\"ports\":[%u]", 1 + draw(2));
  } else if (draw(2)) {
    epi__text_puts(out, ",\"ports\":[1,2]");
  }
  if (!draw(4)) {
    epi__text_printf(out, ",\"user\":[\"u%u\"]", draw(2));
  }
  if (!draw(3)) {
    put_means(out);
  }
  epi__text_puts(out, "}");
}

static epi_model *model_drawn(void) {
  epi__text out = {0};
  epi_model *model = NULL;

  epi__text_puts(&out, "{\"epi\":1,\"attributes\":[\"x\"],\"nodes\":{"
                       "\"a\":{\"domain\":\"d\",\"addresses\":[\"10.0.0.0/8\"]"
                       "},\"b\":{\"domain\":\"d\",\"attributes\":[\"x\"],"
                       "\"addresses\":[\"192.0.2.1\",\"h.example\"]},"
                       "\"c\":{},\"d\":{\"attributes\":[\"x\"]}},"
                       "\"policy\":{\"rules\":[");
  for (unsigned i = 0; i < RULES; i++) {
    put_rule(&out, i);
  }
  epi__text_puts(&out, "]}}");
  cr_assert_not(out.failed);
  cr_assert_eq(epi_model_read(&model, NULL, out.block, out.len), 0, "%s\n%s",
               epi_error_detail(), out.block);
  epi__text_clear(&out);
  return model;
}

static void draw_end(const epi_model *model, epi__end *out, epi_addr *room) {
  static const char *const addrs[] = {"10.1.2.3", "192.0.2.1", "198.51.100.1",
                                      "2001:db8::1"};
  ptrdiff_t node;

  *out = (epi__end){.node = draw(5)};
  if (out->node < 4) {
    return; /* by name */
  }
  cr_assert_eq(epi_addr_parse(room, one_of(addrs, 4), 0), 0);
  node = epi_model_node_at(model, room);
  out->node = node < 0 ? EPI__NONE : (uint32_t)node;
  out->ip = room;
}

/* The first rule that decides is not behind others. */
static void check_flow(const epi_model *model, const epi__behind *behind) {
  epi__facts facts = {.port = (int)draw(4), .authenticated = 1u << draw(5)};
  epi_addr from, to;

  draw_end(model, &facts.from, &from);
  draw_end(model, &facts.to, &to);
  for (size_t i = 0; i < EPI__BY_COUNT; i++) {
    facts.values[i] = EPI__NONE;
  }
  if (model->terms.count) {
    facts.values[EPI__BY_USER] = draw((uint32_t)model->terms.count);
  }
  for (size_t i = 0; i < RULES; i++) {
    if (!epi__rule_matches(model, &model->rules[i], &facts)) {
      continue;
    }
    cr_assert_eq(behind[i].count, 0, "rule %zu", i);
    if (model->rules[i].effect != EPI__REQUIRE) {
      return;
    }
  }
}

Test(rule_union, what_is_found_never_matches) {
  size_t found = 0, together = 0;

  for (int round = 0; round < MODELS; round++) {
    epi_model *model = model_drawn();
    epi__behind behind[RULES];
    epi__union u = {0};

    cr_assert_eq(epi__union_start(&u, model), 0);
    for (uint32_t i = 0; i < RULES; i++) {
      cr_assert_eq(epi__union_find(&u, i, &behind[i]), 0);
      found += behind[i].count > 0;
      together += behind[i].count > 1;
    }
    epi__union_clear(&u);
    for (int i = 0; i < FLOWS; i++) {
      check_flow(model, behind);
    }
    epi_model_free(model);
  }
  cr_expect_gt(found, 1000);
  cr_expect_gt(together, 100, "%zu", together);
}

Test(rule_union, stops_looking_when_its_steps_are_spent) {
  epi_model *model = model_of(
      "{'epi':1,'nodes':{},'policy':{'rules':[{'id':'1','effect':'deny',"
      "'ports':[1]},{'id':'2','effect':'deny','ports':[2]},{'id':'3','effect':"
      "'deny','ports':[1,2]}]}}");
  epi__union u = {0};
  epi__behind by;

  cr_assert_eq(epi__union_start(&u, model), 0);
  cr_assert_eq(epi__union_find(&u, 2, &by), 0);
  cr_expect_eq(by.count, 2);
  for (size_t steps = 0; steps < 20; steps++) {
    u.steps = steps;
    cr_assert_eq(epi__union_find(&u, 2, &by), 0);
    cr_expect_eq(by.count, 0);
  }
  epi__union_clear(&u);
  epi_model_free(model);
}
