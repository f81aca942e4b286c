/* proxy_routes.c: the ways between proxies that cannot all connect to each
 * other. */
#include "area/model.h"

#include "base/memory.h"

/* The links between proxies, as a square: the round trip, or -1 where there is
 * no link. */
typedef struct links {
  size_t count;
  double *ms;
} links;

double epi__round_trip(const epi_model *model, size_t from, size_t to) {
  const size_t ends[2][2] = {{from, to}, {to, from}};

  for (size_t k = 0; k < 2; k++) { /* the other end may have measured it */
    const epi__proxy *proxy = &model->proxies[ends[k][0]];

    for (size_t i = 0; i < proxy->rtt_count; i++) {
      if (proxy->rtts[i].proxy == ends[k][1]) {
        return proxy->rtts[i].ms;
      }
    }
  }
  return 0;
}

static void find_links(const epi_model *model, links *all) {
  for (size_t from = 0; from < all->count; from++) {
    const epi__proxy *proxy = &model->proxies[from];

    for (size_t to = 0; to < all->count; to++) {
      int linked = from != to && (!proxy->lists_reach ||
                                  epi__list_has(&proxy->reach, (uint32_t)to));

      all->ms[from * all->count + to] =
          linked ? epi__round_trip(model, from, to) : -1;
    }
  }
}

typedef struct way { /* from a proxy to the destination */
  double ms;
  size_t links; /* 0: none is known */
  int direct, settled;
  uint32_t next;
} way;

static int shorter(double ms, size_t count, uint32_t next, const way *than) {
  if (!than->links || ms < than->ms) {
    return 1;
  }
  if (ms > than->ms || count > than->links) {
    return 0;
  }
  return count < than->links || next < than->next;
}

/* The proxy nearest to the destination that is not settled. */
static size_t nearest(const way *ways, size_t count) {
  size_t best = count;

  for (size_t i = 0; i < count; i++) {
    if (ways[i].links && !ways[i].settled &&
        (best == count || ways[i].ms < ways[best].ms ||
         (!(ways[i].ms > ways[best].ms) && ways[i].links < ways[best].links))) {
      best = i;
    }
  }
  return best;
}

/* Dijkstra's algorithm, backwards from the destination. Who can connect to it
 * does, however long that takes. */
static void find_ways(const epi_model *model, const links *all, size_t to,
                      way *ways) {
  size_t via;

  for (size_t i = 0; i < all->count; i++) {
    double ms = all->ms[i * all->count + to];

    ways[i].direct = ms >= 0;
    ways[i].links = ms >= 0;
    ways[i].ms = ms;
    ways[i].next = (uint32_t)to;
    ways[i].settled = 0;
  }
  while ((via = nearest(ways, all->count)) < all->count) {
    ways[via].settled = 1;
    for (size_t i = 0; i < all->count; i++) {
      double link = all->ms[i * all->count + via];
      double ms = link + ways[via].ms;
      size_t count = ways[via].links + 1;

      if (link < 0 || i == to || ways[i].direct || ways[i].settled ||
          !model->proxies[via].endpoint ||
          !shorter(ms, count, (uint32_t)via, &ways[i])) {
        continue;
      }
      ways[i].ms = ms;
      ways[i].links = count;
      ways[i].next = (uint32_t)via;
    }
  }
}

static int has_limits(const epi_model *model) {
  for (size_t i = 0; i < model->proxy_names.count; i++) {
    if (model->proxies[i].lists_reach) {
      return 1;
    }
  }
  return 0;
}

int epi__routes_make(epi_model *model) {
  links all = {.count = model->proxy_names.count};
  way *ways = NULL;
  int result = EPI_ENOMEM;

  if (!has_limits(model)) {
    return 0;
  }
  all.ms = epi__alloc_array(all.count * all.count, sizeof *all.ms);
  ways = epi__alloc_array(all.count, sizeof *ways);
  model->next_proxy =
      epi__alloc_array(all.count * all.count, sizeof *model->next_proxy);
  if (!all.ms || !ways || !model->next_proxy) {
    goto done;
  }
  find_links(model, &all);
  for (size_t to = 0; to < all.count; to++) {
    find_ways(model, &all, to, ways);
    for (size_t i = 0; i < all.count; i++) {
      model->next_proxy[i * all.count + to] =
          ways[i].links ? ways[i].next : EPI__NONE;
    }
  }
  result = 0;
done:
  epi__free(all.ms);
  epi__free(ways);
  return result;
}

size_t epi__proxy_way(const epi_model *model, uint32_t from, uint32_t to,
                      uint32_t path[EPI__PATH_MAX]) {
  size_t count = 1;

  path[0] = from;
  while (from != to) {
    from = model->next_proxy
               ? model->next_proxy[from * model->proxy_names.count + to]
               : to;
    if (from == EPI__NONE || count == EPI__PATH_MAX) {
      return 0;
    }
    path[count++] = from;
  }
  return count;
}
