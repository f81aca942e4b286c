/* own_ports.c: the ports that the model gives this proxy.
 *
 * A listener for one is no more than its sockets: what a port means is looked
 * up in the policy by which the flow is judged, so that a new model changes
 * both at once. */
#include "engine/own_ports.h"

#include "area/model.h"
#include "base/memory.h"
#include "base/net.h"

#include <string.h>

static ptrdiff_t own_proxy(const epi_engine *engine, const epi_model *model) {
  return model && engine->name
             ? epi__names_find(&model->proxy_names, engine->name)
             : -1;
}

static size_t count_ports(const epi_engine *engine, const epi_model *model) {
  ptrdiff_t proxy = own_proxy(engine, model);

  return proxy < 0 ? 0 : epi_model_proxy_port_count(model, (size_t)proxy);
}

/* ---- listening ---- */

static epi__listener *find_listener(const epi__listeners *list,
                                    const epi_addr *addr) {
  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i]->kind == EPI__LISTEN_PORT &&
        epi_addr_equal(&list->items[i]->addr, addr)) {
      return list->items[i];
    }
  }
  return NULL;
}

/* Add the listener that the engine has for a port already, or another. */
static int add_listener(epi_engine *engine, epi__listeners *list,
                        const epi_addr *addr) {
  epi__listener *listener = find_listener(engine->listeners, addr);
  int result;

  if (listener) {
    epi__listeners_add(list, listener);
    return 0;
  }
  result = epi__listener_new_port(&listener, engine, addr);
  if (!result) {
    listener->id = ++engine->next_listener;
    epi__listeners_add(list, listener);
    epi__listener_free(listener);
  }
  return result;
}

static int add_ports(epi_engine *engine, const epi_model *model, size_t proxy,
                     epi__listeners *list) {
  epi_addr addr;

  for (size_t i = 0; i < epi_model_proxy_port_count(model, proxy); i++) {
    int result;

    epi_model_proxy_port_listen(model, proxy, i, &addr);
    result = add_listener(engine, list, &addr);
    if (result) {
      return epi__fail(result, "proxies.%s.ports[%zu]: %s",
                       epi_model_proxy_name(model, proxy), i,
                       epi_error_detail());
    }
  }
  return 0;
}

/* What leads to this proxy itself would come back for ever. A name, or a
 * listener on all addresses, shows it only to epi__port_is_loop(). */
static int check_loops(const epi_model *model, size_t proxy,
                       const epi__listeners *list) {
  epi__addr_buf text;
  epi_addr to;

  for (size_t i = 0; i < epi_model_proxy_port_count(model, proxy); i++) {
    epi_model_proxy_port_to(model, proxy, i, &to);
    if (epi__listeners_have(list, EPI__LISTEN_ANY, &to, -1)) {
      return epi__fail(
          EPI_EINVAL, "proxies.%s.ports[%zu].to: a loop: %s is this proxy",
          epi_model_proxy_name(model, proxy), i, epi__addr_text(&to, &text));
    }
  }
  return 0;
}

int epi__ports_listen(epi__listeners **out, epi_engine *engine,
                      const epi_model *model) {
  const epi__listeners *old = engine->listeners;
  ptrdiff_t proxy = own_proxy(engine, model);
  epi__listeners *list =
      epi__listeners_new(old->count + count_ports(engine, model));
  int result = 0;

  if (!list) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < old->count; i++) {
    if (old->items[i]->kind != EPI__LISTEN_PORT) {
      epi__listeners_add(list, old->items[i]);
    }
  }
  if (proxy >= 0) {
    result = add_ports(engine, model, (size_t)proxy, list);
  }
  if (!result && proxy >= 0) {
    result = check_loops(model, (size_t)proxy, list);
  }
  if (!result && engine->started) {
    result = epi__listeners_check_loops(list, engine);
  }
  if (result) {
    epi__listeners_free(list);
    return result;
  }
  *out = list;
  return 0;
}

/* ---- what changes ---- */

static epi__own_port port_of(const epi_model *model, size_t proxy,
                             size_t index) {
  ptrdiff_t from = epi_model_proxy_port_from(model, proxy, index);
  epi__own_port port = {0};

  port.from = epi_model_node_name(model, (size_t)from);
  epi_model_proxy_port_listen(model, proxy, index, &port.listen);
  epi_model_proxy_port_to(model, proxy, index, &port.to);
  return port;
}

/* Do two ports have the same node and destination? */
static int same_way(const epi_model *a, size_t proxy_a, size_t index_a,
                    const epi_model *b, size_t proxy_b, size_t index_b) {
  ptrdiff_t from_a = epi_model_proxy_port_from(a, proxy_a, index_a);
  ptrdiff_t from_b = epi_model_proxy_port_from(b, proxy_b, index_b);
  epi_addr to_a, to_b;

  epi_model_proxy_port_to(a, proxy_a, index_a, &to_a);
  epi_model_proxy_port_to(b, proxy_b, index_b, &to_b);
  return epi_addr_equal(&to_a, &to_b) &&
         !strcmp(epi_model_node_name(a, (size_t)from_a),
                 epi_model_node_name(b, (size_t)from_b));
}

/* The index of the port of another model that is at the same address, or -1. */
static ptrdiff_t find_same(const epi_model *other, ptrdiff_t other_proxy,
                           const epi_model *model, size_t proxy, size_t index) {
  epi_addr listen;

  epi_model_proxy_port_listen(model, proxy, index, &listen);
  return other_proxy < 0 ? -1
                         : epi__port_find(other, (size_t)other_proxy, &listen);
}

void epi__ports_compare(const epi_engine *engine, const epi_model *was,
                        const epi_model *is,
                        void (*callback)(void *user, const char *change,
                                         const epi__own_port *port),
                        void *user) {
  ptrdiff_t before = own_proxy(engine, was), now = own_proxy(engine, is);

  for (size_t i = 0; i < count_ports(engine, was); i++) {
    if (find_same(is, now, was, (size_t)before, i) < 0) {
      epi__own_port port = port_of(was, (size_t)before, i);

      callback(user, "closes", &port);
    }
  }
  for (size_t i = 0; i < count_ports(engine, is); i++) {
    ptrdiff_t same = find_same(was, before, is, (size_t)now, i);
    epi__own_port port = port_of(is, (size_t)now, i);

    if (same < 0) {
      callback(user, "opens", &port);
    } else if (!same_way(was, (size_t)before, (size_t)same, is, (size_t)now,
                         i)) {
      callback(user, "changes", &port);
    }
  }
}

static void tell(void *user, const char *change, const epi__own_port *port) {
  epi__addr_buf at, dest;

  epi__log(user, EPI_LOG_NOTE, "port %s %s: from %s to %s",
           epi__addr_text(&port->listen, &at), change, port->from,
           epi__addr_text(&port->to, &dest));
}

void epi__ports_tell(epi_engine *engine, const epi_model *was,
                     const epi_model *is) {
  epi__ports_compare(engine, was, is, tell, engine);
}

/* ---- of a flow ---- */

/* Which port of this proxy a flow came to. Returns 0 or EPI_EDENIED. */
static int find_port(const epi_flow *flow, const epi__policy *policy,
                     size_t *proxy, size_t *index) {
  const epi_model *model = policy ? epi__policy_model(policy) : NULL;
  ptrdiff_t own = own_proxy(flow->worker->engine, model);
  ptrdiff_t found =
      own < 0 ? -1 : epi__port_find(model, (size_t)own, &flow->listener->addr);

  if (found < 0) {
    return epi__fail(EPI_EDENIED, "the model has no such port any more");
  }
  *proxy = (size_t)own;
  *index = (size_t)found;
  return 0;
}

int epi__port_dest(const epi_flow *flow, epi_addr *out) {
  const epi__policy *policy = epi__worker_policy(flow->worker);
  size_t proxy = 0, index = 0;
  int result = find_port(flow, policy, &proxy, &index);

  return result ? result
                : epi_model_proxy_port_to(epi__policy_model(policy), proxy,
                                          index, out);
}

/* May whoever connected use a port that is for one node? */
static int check_source(const epi_flow *flow, const epi_model *model,
                        ptrdiff_t from) {
  ptrdiff_t node = epi_model_node_at(model, &flow->source);
  epi__addr_buf source;

  epi_addr_format(&flow->source, 0, source.text, sizeof source.text);
  if (node < 0) {
    return epi__fail(EPI_EDENIED, "the port is for node %s, and %s is of none",
                     epi_model_node_name(model, (size_t)from), source.text);
  }
  return node == from
             ? 0
             : epi__fail(EPI_EDENIED,
                         "the port is for node %s, and %s is of node %s",
                         epi_model_node_name(model, (size_t)from), source.text,
                         epi_model_node_name(model, (size_t)node));
}

int epi__port_check(const epi_flow *flow, const epi__policy *policy) {
  size_t proxy = 0, index = 0;
  const epi_model *model;
  epi__addr_buf text;
  epi_addr to;
  int result;

  if (flow->listener->kind != EPI__LISTEN_PORT) {
    return 0;
  }
  result = find_port(flow, policy, &proxy, &index);
  if (result) {
    return result;
  }
  model = epi__policy_model(policy);
  epi_model_proxy_port_to(model, proxy, index, &to);
  if (!epi_addr_equal(&to, &flow->dest)) {
    return epi__fail(EPI_EDENIED, "the port leads to %s now",
                     epi__addr_text(&to, &text));
  }
  return check_source(flow, model,
                      epi_model_proxy_port_from(model, proxy, index));
}

int epi__port_is_loop(const epi_flow *flow, const epi_addr *addr) {
  static const int kinds = EPI__LISTEN_PORT | EPI__LISTEN_REVERSE;

  return flow->listener->kind & kinds && !flow->route->hop_count &&
         epi__listeners_have(flow->worker->listeners, kinds, addr,
                             flow->legs[EPI_FORWARD].fd);
}
