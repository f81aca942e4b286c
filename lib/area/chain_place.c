/* chain_place.c: the order of a chain, and who runs what. */
#include "area/chain.h"

#include <string.h>

typedef struct items {
  const epi_model *model;
  size_t count, chosen; /* what undoes others stands behind what was chosen */
  uint32_t function[EPI__CHAIN_MAX];
  size_t partner[EPI__CHAIN_MAX]; /* item that undoes, or EPI__CHAIN_MAX */
  int late[EPI__CHAIN_MAX];       /* runs at the destination */
  uint64_t after[EPI__CHAIN_MAX]; /* bits of the items that come later */
} items;

static uint64_t bit(size_t i) {
  return (uint64_t)1 << i;
}

static int is_filter(const items *all, size_t i) {
  return all->model->functions[all->function[i]].filter != NULL;
}

static int fill(items *all, const uint32_t *functions, size_t count) {
  for (size_t i = 0; i < count && i < EPI__CHAIN_MAX; i++) {
    all->function[i] = functions[i];
    all->partner[i] = EPI__CHAIN_MAX;
  }
  all->chosen = all->count = count;
  for (size_t i = 0; i < count; i++) {
    uint32_t pair = all->model->functions[functions[i]].pair;

    if (pair == EPI__NONE) {
      continue;
    }
    if (all->count >= EPI__CHAIN_MAX) {
      return 0;
    }
    all->function[all->count] = pair;
    all->partner[all->count] = EPI__CHAIN_MAX;
    all->late[all->count] = 1;
    all->partner[i] = all->count++;
  }
  return all->count <= EPI__CHAIN_MAX;
}

/* What the model says, and that undoing comes after doing. */
static void add_declared(items *all) {
  for (size_t i = 0; i < all->count; i++) {
    const epi__function *a = &all->model->functions[all->function[i]];

    for (size_t k = 0; k < all->count; k++) {
      const epi__function *b = &all->model->functions[all->function[k]];

      if (i != k && (all->partner[i] == k ||
                     epi__list_has(&a->before, all->function[k]) ||
                     epi__list_has(&b->after, all->function[i]))) {
        all->after[i] |= bit(k);
      }
    }
  }
}

/* Before what is before (Warshall); and pairs nest: done first, undone last.
 * Until nothing new follows. */
static void close_order(items *all) {
  int changed = 1;

  while (changed) {
    changed = 0;
    for (size_t k = 0; k < all->count; k++) {
      for (size_t i = 0; i < all->count; i++) {
        if (all->after[i] & bit(k)) {
          all->after[i] |= all->after[k];
        }
      }
    }
    for (size_t i = 0; i < all->chosen; i++) {
      for (size_t k = 0; k < all->chosen; k++) {
        size_t p = all->partner[i], q = all->partner[k];

        if (i == k || p == EPI__CHAIN_MAX || q == EPI__CHAIN_MAX ||
            !(all->after[i] & bit(k)) == !(all->after[q] & bit(p))) {
          continue;
        }
        all->after[i] |= bit(k);
        all->after[q] |= bit(p);
        changed = 1;
      }
    }
  }
}

static int misfits(const items *all, epi__misfit *misfit, int why, size_t a,
                   size_t b) {
  misfit->why = why;
  misfit->lasts = why == EPI__TOO_LATE || why == EPI__CIRCLE;
  misfit->a = all->function[a];
  misfit->b = all->function[b];
  return 1;
}

static int has_circle(const items *all, epi__misfit *misfit) {
  for (size_t i = 0; i < all->count; i++) {
    for (size_t k = 0; k < all->count; k++) {
      if (i != k && all->after[i] & bit(k) && all->after[k] & bit(i)) {
        return misfits(all, misfit, EPI__CIRCLE, i, k);
      }
    }
  }
  return 0;
}

/* What comes after an undoing runs where the undoing does; for a sealing that
 * is too late. */
static int find_late(items *all, const epi__site *site, epi__misfit *misfit) {
  for (size_t i = all->chosen; i < all->count; i++) {
    for (size_t k = 0; k < all->chosen; k++) {
      if (!(all->after[i] & bit(k))) {
        continue;
      }
      all->late[k] = 1;
      if (all->partner[k] != EPI__CHAIN_MAX && !site->one_hop) {
        return misfits(all, misfit, EPI__TOO_LATE, i, k);
      }
    }
  }
  return 0;
}

/* Filters run in the proxy, which a flow leaves for its endpoints: at one hop
 * filters come first. */
static int put_filters_first(items *all, const epi__site *site,
                             epi__misfit *misfit) {
  for (size_t i = 0; i < all->count; i++) {
    for (size_t k = 0; k < all->count; k++) {
      if (!is_filter(all, i) || is_filter(all, k) ||
          (!site->one_hop && all->late[i] != all->late[k])) {
        continue;
      }
      if (all->after[k] & bit(i)) {
        return misfits(all, misfit, EPI__OUT_OF_PROCESS, k, i);
      }
      all->after[i] |= bit(k);
    }
  }
  return 0;
}

/* 1 if item a goes before item b where both may go. */
static int prefer(const items *all, size_t a, size_t b) {
  if (all->late[a] != all->late[b]) {
    return !all->late[a];
  }
  if (is_filter(all, a) != is_filter(all, b)) {
    return is_filter(all, a);
  }
  return all->function[a] < all->function[b];
}

/* Take out one after the other what nothing left comes before. */
static void sort(const items *all, size_t *order) {
  uint64_t left = 0;

  for (size_t i = 0; i < all->count; i++) {
    left |= bit(i);
  }
  for (size_t n = 0; n < all->count; n++) {
    size_t best = EPI__CHAIN_MAX;

    for (size_t i = 0; i < all->count; i++) {
      int free = (left & bit(i)) != 0;

      for (size_t k = 0; free && k < all->count; k++) {
        free = !(left & bit(k)) || !(all->after[k] & bit(i));
      }
      if (free && (best == EPI__CHAIN_MAX || prefer(all, i, best))) {
        best = i;
      }
    }
    order[n] = best;
    left &= ~bit(best);
  }
}

/* The order of what is done fixes the order in which it is undone. */
static void nest(items *all, const size_t *order) {
  size_t last = EPI__CHAIN_MAX;

  for (size_t n = 0; n < all->count; n++) {
    size_t partner = all->partner[order[n]];

    if (partner == EPI__CHAIN_MAX) {
      continue;
    }
    if (last != EPI__CHAIN_MAX) {
      all->after[partner] |= bit(last);
    }
    last = partner;
  }
}

int epi__chain_place(const epi_model *model, const epi__site *site,
                     const uint32_t *functions, size_t count, epi__chain *out,
                     epi__misfit *misfit) {
  items all = {.model = model};
  size_t order[EPI__CHAIN_MAX];

  if (count > EPI__CHAIN_MAX || !fill(&all, functions, count)) {
    misfit->why = EPI__TOO_LONG;
    misfit->lasts = 1;
    return 0;
  }
  add_declared(&all);
  close_order(&all);
  if (has_circle(&all, misfit) || find_late(&all, site, misfit) ||
      put_filters_first(&all, site, misfit)) {
    return 0;
  }
  close_order(&all);
  if (has_circle(&all, misfit)) {
    misfit->lasts = 0; /* something more may move a function elsewhere */
    return 0;
  }
  sort(&all, order);
  nest(&all, order);
  close_order(&all);
  sort(&all, order);
  out->count = all.count;
  out->cost_ms = 0;
  for (size_t n = 0; n < all.count; n++) {
    out->functions[n] = all.function[order[n]];
    out->hop[n] = (uint8_t)(all.late[order[n]] && !site->one_hop);
    out->cost_ms += epi__function_cost(model, site->choice, out->functions[n]);
  }
  misfit->why = EPI__FITS;
  return 1;
}
