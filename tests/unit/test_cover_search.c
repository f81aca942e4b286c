/* test_cover_search.c: the search for the cheapest cover against trying all. */
#include "area/chain.h"
#include "support/model_text.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  ATTRIBUTES = 6,
  FUNCTIONS = 8,
  MODELS = 1500,
};

static uint32_t drawn = 20251123;

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

/* A function that provides some attributes, perhaps with order, with what
 * undoes it, or at an endpoint. */
static void put_function(int number, int attributes, uint32_t provides) {
  const char *comma = "";

  put("%s'f%d':{%s,'provides':[", number ? "," : "", number,
      draw(3) ? "'filter':'f'" : "'endpoints':['socks5://h:1']");
  for (int i = 0; i < attributes; i++) {
    if (provides >> i & 1) {
      put("%s't%02d'", comma, i);
      comma = ",";
    }
  }
  put("],'cost':{'setup_ms':%u}", draw(10));
  if (!draw(3)) {
    put(",'pair':'u%u'", draw(2));
  }
  if (!draw(3)) {
    put(",'before':['f%d']",
        (number + 1 + (int)draw(FUNCTIONS - 1)) % FUNCTIONS);
  }
  if (!draw(4)) {
    put(",'after':['u%u']", draw(2));
  }
  put("}");
}

static epi_model *random_model(void) {
  used = 0;
  put("{'epi':1,'nodes':{'a':{'domain':'da','attributes':[");
  for (int i = 0; i < ATTRIBUTES; i++) {
    put("%s't%02d'", i ? "," : "", i);
  }
  put("]},'b':{'domain':'db'}},'proxies':{'pa':{'domain':'da'},"
      "'pb':{'domain':'db'}},'functions':{");
  for (int i = 0; i < FUNCTIONS; i++) {
    put_function(i, ATTRIBUTES, draw(1 << ATTRIBUTES));
  }
  put(",'u0':{'filter':'u','cost':{'setup_ms':%u}},"
      "'u1':{'endpoints':['socks5://h:2']}}}",
      draw(3));
  return model_of(text);
}

/* 1 if chosen functions cover everything, and none can be left out. */
static int covers(const epi_model *model, unsigned chosen, uint64_t missing) {
  for (int left_out = -1; left_out < FUNCTIONS; left_out++) {
    uint64_t bits = 0;

    if (left_out >= 0 && !(chosen >> left_out & 1)) {
      continue;
    }
    for (int i = 0; i < FUNCTIONS; i++) {
      if (i != left_out && chosen >> i & 1) {
        bits |= model->functions[i].provides[0];
      }
    }
    if (!(missing & ~bits) != (left_out < 0)) {
      return 0;
    }
  }
  return 1;
}

/* The cost of the cheapest cover that fits, or -1. */
static double cheapest(const epi_model *model, const epi__site *site,
                       uint64_t missing) {
  double best = -1;

  for (unsigned chosen = 1; chosen < 1u << FUNCTIONS; chosen++) {
    uint32_t functions[FUNCTIONS];
    epi__misfit misfit;
    epi__chain chain;
    size_t count = 0;

    if (!covers(model, chosen, missing)) {
      continue;
    }
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
      if (chosen >> i & 1) {
        functions[count++] = i;
      }
    }
    if (epi__chain_place(model, site, functions, count, &chain, &misfit) &&
        (best < 0 || chain.cost_ms < best)) {
      best = chain.cost_ms;
    }
  }
  return best;
}

Test(cover_search, no_cover_that_fits_is_cheaper) {
  int found = 0;

  for (int round = 0; round < MODELS; round++) {
    epi_model *model = random_model();
    epi__site site = {.one_hop = round % 4 == 0, .source = 0, .destination = 1};
    uint64_t missing = 1 + draw((1 << ATTRIBUTES) - 1);
    double best = cheapest(model, &site, missing);
    epi__misfit misfit = {.why = EPI__FITS};
    epi__chain chain;
    int result = epi__cover_search(model, &site, &missing, &chain, &misfit);

    cr_assert_eq(result, best >= 0, "round %d: %d, %f\n%s", round, result, best,
                 text);
    if (result) {
      cr_expect_float_eq(chain.cost_ms, best, 1e-9, "round %d: %f, not %f\n%s",
                         round, chain.cost_ms, best, text);
      found++;
    }
    epi_model_free(model);
  }
  cr_expect_gt(found, MODELS / 10);
  cr_expect_lt(found, MODELS);
}

/* The cost of the cheapest cover of each set, where order plays no part. */
static double cheapest_of_all(const epi_model *model, unsigned bits) {
  static double cost[1 << 14];

  for (size_t set = 1; set < (size_t)1 << bits; set++) {
    cost[set] = 1e300;
    for (size_t i = 0; i < model->function_names.count; i++) {
      size_t rest = set & ~model->functions[i].provides[0];

      if (rest != set && cost[rest] + model->functions[i].cost_ms < cost[set]) {
        cost[set] = cost[rest] + model->functions[i].cost_ms;
      }
    }
  }
  return cost[((size_t)1 << bits) - 1];
}

/* Functions of filters alone, each with some of the attributes. */
static epi_model *wide_model(int attributes, int functions, unsigned each,
                             unsigned most) {
  used = 0;
  put("{'epi':1,'nodes':{},'functions':{");
  for (int i = 0; i < functions; i++) {
    put("%s'f%d':{'filter':'f','provides':['t%02d'", i ? "," : "", i,
        i % attributes);
    for (int k = 0; k < attributes; k++) {
      if (k != i % attributes && draw((uint32_t)attributes) < each) {
        put(",'t%02d'", k);
      }
    }
    put("],'cost':{'setup_ms':%u}}", 1 + draw(most));
  }
  put("}}");
  return model_of(text);
}

Test(cover_search, many_functions_are_searched_exactly) {
  const epi__site site = {.one_hop = 1, .unchecked = 1};

  for (int round = 0; round < 60; round++) {
    epi_model *model = wide_model(14, 200, 1 + draw(5), round % 2 ? 1000 : 1);
    uint64_t missing = (1 << 14) - 1;
    epi__misfit misfit;
    epi__chain chain;

    cr_assert_eq(epi__cover_search(model, &site, &missing, &chain, &misfit), 1);
    cr_expect_float_eq(chain.cost_ms, cheapest_of_all(model, 14), 1e-6);
    epi_model_free(model);
  }
}

Test(cover_search, the_stated_sizes_are_searched_exactly) {
  const epi__site site = {.one_hop = 1, .unchecked = 1};

  for (int round = 0; round < 40; round++) {
    epi_model *model = wide_model(24, 200, 1 + (unsigned)round % 8,
                                  round % 3 ? 1 + (unsigned)round * 25 : 1);
    uint64_t missing = (1 << 24) - 1;
    epi__misfit misfit;
    epi__chain chain;

    cr_expect_eq(epi__cover_search(model, &site, &missing, &chain, &misfit), 1,
                 "round %d", round);
    epi_model_free(model);
  }
}
