/* test_chain_cache.c: what is remembered is what a search finds. */
#include "area/chain_cache.h"
#include "epi/error.h"
#include "support/model_text.h"
#include "support/random_document.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
  MODELS = 300,
  THREADS = 4,
  ROUNDS = 4000,
  ATTRIBUTES = 6,
  NODES = 12,
};

/* The decision about a flow between two nodes, as JSON. With bypass the query
 * has a choice of its own, with the weights that count anyway: each chain is
 * then searched for. */
static char *decide(epi_model *model, size_t from, size_t to, int bypass) {
  epi_decision *decision;
  epi_query *query;
  char *text;

  cr_assert_eq(epi_query_new(&query), 0);
  cr_assert_eq(epi_decision_new(&decision), 0);
  epi_query_set_from_node(query, epi_model_node_name(model, from));
  epi_query_set_to_node(query, epi_model_node_name(model, to), -1);
  if (bypass) {
    cr_assert_eq(epi_query_set_weight(query, EPI_COST_SETUP, 1), 0);
  }
  cr_assert_eq(epi_model_decide(model, query, decision), 0);
  cr_assert_eq(epi_decision_write(decision, &text), 0);
  epi_decision_free(decision);
  epi_query_free(query);
  return text;
}

static void compare(epi_model *model, size_t from, size_t to) {
  char *searched = decide(model, from, to, 1);

  for (int turn = 0; turn < 2; turn++) { /* found, then remembered */
    char *text = decide(model, from, to, 0);

    cr_assert_str_eq(text, searched);
    epi_free(text);
  }
  epi_free(searched);
}

Test(chain_cache, answers_are_the_same_with_and_without) {
  static char text[1 << 16];

  for (int round = 0; round < MODELS; round++) {
    epi_model *model;
    size_t count;

    document_new();
    cr_assert_eq(
        epi_model_read(&model, NULL, text, document_put(text, sizeof text, 1)),
        0);
    count = epi_model_node_count(model);
    for (size_t i = 0; i < count * count; i++) {
      compare(model, i / count, i % count);
    }
    epi_model_free(model);
  }
}

/* Every flow is allowed; most need functions: filters, endpoints, pairs and an
 * order that some chains cannot keep. */
static epi_model *busy_model(void) {
  char text[8192];
  size_t used = (size_t)snprintf(text, sizeof text, "{'epi':1,'nodes':{");

  for (unsigned i = 0; i < NODES; i++) {
    unsigned bits = draw(1 << ATTRIBUTES);

    used += (size_t)snprintf(text + used, sizeof text - used,
                             "%s'n%u':{'domain':'d%u','attributes':[",
                             i ? "," : "", i, i % 3);
    for (unsigned k = 0, many = 0; k < ATTRIBUTES; k++) {
      if (bits >> k & 1) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s't%u'",
                                 many++ ? "," : "", k);
      }
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "]}");
  }
  snprintf(text + used, sizeof text - used,
           "},'proxies':{'p0':{'domain':'d0'},'p1':{'domain':'d1'}},"
           "'functions':{'undo':{'filter':'u'},"
           "'a':{'provides':['t0'],'filter':'f','pair':'undo'},"
           "'b':{'provides':['t1','t2'],'endpoints':['socks5://h:1'],"
           "'before':['a'],'cost':{'setup_ms':2}},"
           "'c':{'provides':['t2','t3'],'filter':'f','cost':{'setup_ms':1}},"
           "'d':{'provides':['t4'],'filter':'f'},"
           "'e':{'provides':['t1'],'filter':'f','cost':{'setup_ms':9}},"
           "'f':{'provides':['t5'],'endpoints':['socks5://h:2']}},"
           "'policy':{'default':'allow'}}");
  return model_of(text);
}

Test(chain_cache, answers_are_the_same_where_chains_are_hard_to_place) {
  for (int round = 0; round < MODELS; round++) {
    epi_model *model = busy_model();

    for (size_t i = 0; i < (size_t)NODES * NODES; i++) {
      compare(model, i / NODES, i % NODES);
    }
    epi_model_free(model);
  }
}

/* A chain that nobody could find, known by its set: to tell one entry from
 * another and from a mixture of two. */
static epi__chain chain_of(uint64_t missing) {
  epi__chain chain = {.cost_ms = (double)missing, .optimal = missing & 1};

  chain.count = 1 + (size_t)missing % EPI__CACHED_FUNCTIONS;
  for (size_t i = 0; i < chain.count; i++) {
    chain.functions[i] = (uint32_t)(missing * 7 + i) % 1024;
    chain.hop[i] = i > missing % 5;
  }
  return chain;
}

static int same(const epi__chain *a, const epi__chain *b) {
  return a->count == b->count && a->optimal == b->optimal &&
         !(a->cost_ms < b->cost_ms) && !(a->cost_ms > b->cost_ms) &&
         !memcmp(a->functions, b->functions, a->count * sizeof(uint32_t)) &&
         !memcmp(a->hop, b->hop, a->count);
}

/* Recall sets from first on, and keep those that are not known. Returns how
 * many were, or -1 if one was wrong. */
static int run(const epi_model *model, uint64_t first) {
  const epi__site site = {.source = 0, .destination = 1};
  epi__misfit misfit = {0}, other;
  int known = 0;

  for (uint64_t i = 0; i < ROUNDS; i++) {
    uint64_t missing = 1 + (first + i * 37) % 300;
    int fits = missing % 4 != 0, result;
    epi__chain chain = chain_of(missing), got;

    misfit.why = EPI__CIRCLE;
    misfit.a = (uint32_t)missing;
    misfit.b = (uint32_t)missing + 1;
    result = epi__chain_recall(model, &site, &missing, &got, &other);
    if (result == EPI_ENOENT) {
      epi__chain_keep(model, &site, &missing, fits, &chain, &misfit);
      continue;
    }
    known++;
    if (result != fits || (fits && !same(&got, &chain)) ||
        (!fits && (other.a != misfit.a || other.b != misfit.b ||
                   other.why != misfit.why))) {
      return -1;
    }
  }
  return known;
}

Test(chain_cache, new_chains_take_the_place_of_old_ones) {
  epi_model *model = busy_model();
  int known = run(model, 0);

  cr_expect_gt(known, 0);
  cr_expect_lt(known, ROUNDS); /* there is no room for all 300 */
  epi_model_free(model);
}

Test(chain_cache, keeps_sites_apart_and_no_chain_that_is_too_long) {
  epi__site site = {.source = 0, .destination = 1};
  epi__chain chain = chain_of(5), got;
  epi__misfit misfit = {0};
  epi_model *model = busy_model();
  uint64_t missing = 5;

  epi__chain_keep(model, &site, &missing, 1, &chain, &misfit);
  cr_expect_eq(epi__chain_recall(model, &site, &missing, &got, &misfit), 1);
  cr_expect(same(&got, &chain));
  site.one_hop = 1;
  cr_expect_eq(epi__chain_recall(model, &site, &missing, &got, &misfit),
               EPI_ENOENT);
  site.one_hop = 0;
  site.destination = EPI__NONE;
  cr_expect_eq(epi__chain_recall(model, &site, &missing, &got, &misfit),
               EPI_ENOENT);
  chain.count = EPI__CACHED_FUNCTIONS + 1;
  epi__chain_keep(model, &site, &missing, 1, &chain, &misfit);
  chain.count = 1;
  chain.starved = 1;
  epi__chain_keep(model, &site, &missing, 1, &chain, &misfit);
  cr_expect_eq(epi__chain_recall(model, &site, &missing, &got, &misfit),
               EPI_ENOENT);
  epi_model_free(model);
}

typedef struct worker {
  pthread_t thread;
  epi_model *model;
  uint64_t first;
  int known;
} worker;

static void *work(void *user) {
  worker *w = user;

  w->known = run(w->model, w->first);
  return NULL;
}

Test(chain_cache, threads_never_see_half_a_chain) {
  epi_model *model = busy_model();
  worker workers[THREADS];

  for (size_t i = 0; i < THREADS; i++) {
    workers[i] = (worker){.model = model, .first = i * 11};
    cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]),
                 0);
  }
  for (size_t i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    cr_expect_geq(workers[i].known, 0);
  }
  epi_model_free(model);
}
