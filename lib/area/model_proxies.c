/* model_proxies.c: proxies, and whom they can connect to. */
#include "area/model_reader.h"

#include "base/memory.h"

static void read_reach(epi__model_reader *in, const epi__json *list,
                       size_t self) {
  epi__proxy *proxy = &in->model->proxies[self];
  size_t back = epi__path_key(in, "reach");

  proxy->lists_reach = list != NULL;
  epi__read_references(in, list, "proxy", &in->model->proxy_names,
                       EPI__VALUES_MAX, &proxy->reach);
  if (epi__list_has(&proxy->reach, (uint32_t)self)) {
    epi__problem(in, "a proxy does not connect to itself");
  }
  if (list && in->model->proxy_names.count > EPI__ROUTED_MAX) {
    epi__problem(in, "is for models of at most %d proxies", EPI__ROUTED_MAX);
  }
  epi__path_back(in, back);
}

static void add_rtt(epi__model_reader *in, epi__proxy *proxy, uint32_t to,
                    double ms) {
  epi__rtt *moved = epi__grow(proxy->rtts, proxy->rtt_count,
                              &proxy->rtt_capacity, sizeof *moved);

  if (!moved) {
    in->failed = 1;
    return;
  }
  proxy->rtts = moved;
  proxy->rtts[proxy->rtt_count].proxy = to;
  proxy->rtts[proxy->rtt_count++].ms = ms + 0.0; /* -0 becomes 0 */
}

static int has_rtt(const epi__proxy *proxy, uint32_t to) {
  for (size_t i = 0; i < proxy->rtt_count; i++) {
    if (proxy->rtts[i].proxy == to) {
      return 1;
    }
  }
  return 0;
}

static void read_rtt(epi__model_reader *in, const epi__json *value,
                     size_t self) {
  const epi__names *names = &in->model->proxy_names;
  epi__proxy *proxy = &in->model->proxies[self];
  size_t back = epi__path_key(in, epi__json_key(value));
  ptrdiff_t to = epi__names_find(names, epi__json_key(value));

  if (to < 0) {
    epi__problem_no(in, "proxy", epi__json_key(value), names);
  } else if ((size_t)to == self) {
    epi__problem(in, "a proxy does not connect to itself");
  } else if (has_rtt(proxy, (uint32_t)to)) {
    epi__problem(in, "is there twice");
  } else if (epi__json_type(value) != EPI__JSON_NUMBER ||
             !(epi__json_number(value) >= 0 &&
               epi__json_number(value) <= 1e12)) {
    epi__problem(in, "must be a number from 0 to 1e12");
  } else {
    add_rtt(in, proxy, (uint32_t)to, epi__json_number(value));
  }
  epi__path_back(in, back);
}

static void read_rtts(epi__model_reader *in, const epi__json *object,
                      size_t self) {
  size_t back = epi__path_key(in, "rtt_ms");
  const epi__json *value = NULL;

  if (object && !epi__too_long(in, object, EPI__VALUES_MAX)) {
    value = epi__json_first(object);
  }
  for (; value && !in->failed; value = epi__json_next(value)) {
    read_rtt(in, value, self);
  }
  epi__path_back(in, back);
}

static void read_proxy(epi__model_reader *in, const epi__json *value,
                       size_t number) {
  static const epi__key keys[] = {
      {"domain", EPI__JSON_STRING, 1}, {"endpoint", EPI__JSON_STRING, 0},
      {"reach", EPI__JSON_LIST, 0},    {"rtt_ms", EPI__JSON_OBJECT, 0},
      {"ports", EPI__JSON_LIST, 0},    {NULL, 0, 0},
  };
  epi__proxy *proxy = &in->model->proxies[number];
  const epi__json *values[5];
  size_t back;

  epi__read_members(in, value, keys, values);
  back = epi__path_key(in, "domain");
  proxy->domain = epi__read_reference(in, values[0], "node is in domain",
                                      &in->model->domains);
  epi__path_back(in, back);
  back = epi__path_key(in, "endpoint");
  proxy->endpoint = epi__read_copy(in, values[1]);
  if (proxy->endpoint) {
    epi__check_hop(in, proxy->endpoint);
  }
  epi__path_back(in, back);
  read_reach(in, values[2], number);
  read_rtts(in, values[3], number);
  epi__read_proxy_ports(in, values[4], proxy);
}

void epi__read_proxies(epi__model_reader *in, const epi__json *proxies) {
  epi_model *model = in->model;
  const epi__json *proxy = NULL;
  size_t number = 0;

  model->proxies =
      epi__alloc_array(model->proxy_names.count, sizeof *model->proxies);
  model->domain_proxy =
      epi__alloc_array(model->domains.count, sizeof *model->domain_proxy);
  if (!model->proxies || !model->domain_proxy) {
    in->failed = 1;
    return;
  }
  for (size_t i = 0; i < model->domains.count; i++) {
    model->domain_proxy[i] = EPI__NONE;
  }
  while (!in->failed && (proxy = epi__next_named(
                             proxies, proxy, &model->proxy_names, &number))) {
    size_t back = epi__path_key(in, epi__json_key(proxy));
    uint32_t domain;

    read_proxy(in, proxy, number);
    domain = model->proxies[number].domain;
    if (domain != EPI__NONE && model->domain_proxy[domain] == EPI__NONE) {
      model->domain_proxy[domain] = (uint32_t)number;
    }
    epi__path_back(in, back);
  }
}
