/* model_ports.c: the ports of proxies, each of which leads from one node to one
 * destination. */
#include "area/model_reader.h"

#include "base/memory.h"
#include "base/net.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_LISTEN_SIZE = 4 };

/* Where the ports of a proxy are that say nothing else: at the address of its
 * endpoint, or at all if that has a name, or is not there. */
static void default_listen(const epi__proxy *proxy, epi_addr *out) {
  static const uint8_t any[DEFAULT_LISTEN_SIZE] = {0};
  epi__url url;

  if (proxy->endpoint && !epi__url_parse(&url, proxy->endpoint) &&
      url.addr.kind != EPI_ADDR_NAME) {
    *out = url.addr;
  } else {
    epi_addr_set_ip(out, any, sizeof any, 0);
  }
}

static void find_listen(const epi__proxy *proxy, const epi__port *port,
                        epi_addr *out) {
  if (!port->listen || epi_addr_parse(out, port->listen, 0)) {
    default_listen(proxy, out);
  }
  out->port = port->number;
}

/* ---- reading ---- */

/* Leaves it out where the proxy has that address anyway. */
static void read_listen(epi__model_reader *in, const epi__json *value,
                        const epi__proxy *proxy, epi__port *out) {
  size_t back = epi__path_key(in, "listen");
  const char *text = epi__read_string(in, value);
  epi_addr addr, given;

  if (text && (epi_addr_set_name(&addr, text, strlen(text), 0) ||
               addr.kind == EPI_ADDR_NAME)) {
    epi__problem(in, "must be an IP address, without a port");
  } else if (text) {
    default_listen(proxy, &given);
    if (!epi__addr_same_host(&addr, &given)) {
      epi__addr_buf buf;

      epi_addr_format(&addr, 0, buf.text, sizeof buf.text);
      out->listen = epi__strdup(buf.text);
      in->failed |= !out->listen;
    }
  }
  epi__path_back(in, back);
}

/* HOST:PORT, of which the host is some node's. */
static void read_host(epi__model_reader *in, const char *text,
                      const char *before, epi__port *out) {
  epi__addr_buf buf;
  ptrdiff_t node;
  epi_addr addr;

  int is_address = !epi_addr_parse(&addr, text, -1);

  if (!is_address && strpbrk(before, ":/")) {
    epi__problem(in, "must be NODE:PORT or HOST:PORT");
    return;
  }
  node = is_address ? epi__node_lookup_find(&in->model->lookup, &addr) : -1;
  if (node < 0) {
    epi__problem_no(in, "node or host of a node", before,
                    &in->model->node_names);
    return;
  }
  epi_addr_format(&addr, 0, buf.text, sizeof buf.text);
  out->to = (uint32_t)node;
  out->to_port = addr.port;
  out->host = epi__strdup(buf.text);
  in->failed |= !out->host;
}

static void read_to(epi__model_reader *in, const epi__json *value,
                    epi__port *out) {
  size_t back = epi__path_key(in, "to");
  const char *text = epi__read_string(in, value);
  const char *colon = text ? strrchr(text, ':') : NULL;
  int port = colon ? epi__port_parse(colon + 1) : 0;
  ptrdiff_t node = -1;
  char *before = NULL;
  epi_addr host;

  if (colon && port > 0) {
    before = epi__strndup(text, (size_t)(colon - text));
    in->failed |= !before;
  } else if (text) {
    epi__problem(in, "must be NODE:PORT or HOST:PORT");
  }
  if (before) {
    node = epi__names_find(&in->model->node_names, before);
  }
  if (before && node < 0) {
    read_host(in, text, before, out);
  } else if (before && epi_model_node_host(in->model, (size_t)node, &host)) {
    epi__problem(in, "%s: name the host, as HOST:%d", epi_error_detail(), port);
  } else if (before) {
    out->to = (uint32_t)node;
    out->to_port = (uint16_t)port;
  }
  epi__free(before);
  epi__path_back(in, back);
}

static void read_port(epi__model_reader *in, const epi__json *value,
                      const epi__proxy *proxy, epi__port *out) {
  static const epi__key keys[] = {
      {"port", EPI__JSON_NUMBER, 1},
      {"from", EPI__JSON_STRING, 1},
      {"to", EPI__JSON_STRING, 1},
      {"listen", EPI__JSON_STRING, 0},
      {NULL, 0, 0},
  };
  const epi__json *values[4];
  size_t back;

  epi__read_members(in, value, keys, values);
  back = epi__path_key(in, "port");
  if (values[0]) {
    out->number = (uint16_t)epi__read_whole(in, values[0], 1, 65535);
  }
  epi__path_back(in, back);
  back = epi__path_key(in, "from");
  out->from =
      epi__read_reference(in, values[1], "node", &in->model->node_names);
  epi__path_back(in, back);
  read_to(in, values[2], out);
  read_listen(in, values[3], proxy, out);
}

/* No two may be at one address. */
static void check_alone(epi__model_reader *in, const epi__proxy *proxy,
                        const epi__port *port, epi__names *seen) {
  size_t count = seen->count;
  epi__addr_buf text;
  epi_addr addr;

  find_listen(proxy, port, &addr);
  if (!port->number) {
    return;
  }
  if (epi__names_add(seen, epi__addr_text(&addr, &text)) < 0) {
    in->failed = 1;
  } else if (seen->count == count) {
    epi__problem(in, "another port of this proxy is at %s", text.text);
  }
}

void epi__read_proxy_ports(epi__model_reader *in, const epi__json *list,
                           epi__proxy *proxy) {
  size_t back = epi__path_key(in, "ports");
  const epi__json *item = NULL;
  epi__names seen = {0};

  if (list && !epi__too_long(in, list, EPI__VALUES_MAX)) {
    item = epi__json_first(list);
  }
  for (; item && !in->failed; item = epi__json_next(item)) {
    epi__port *moved = epi__grow(proxy->ports, proxy->port_count,
                                 &proxy->port_capacity, sizeof *moved);
    size_t inner = epi__path_index(in, proxy->port_count);

    if (moved) {
      proxy->ports = moved;
      moved += proxy->port_count++;
      memset(moved, 0, sizeof *moved);
      read_port(in, item, proxy, moved);
      check_alone(in, proxy, moved, &seen);
    } else {
      in->failed = 1;
    }
    epi__path_back(in, inner);
  }
  epi__names_clear(&seen);
  epi__path_back(in, back);
}

/* ---- what a model says of them ---- */

static const epi__port *port_at(const epi_model *model, size_t proxy,
                                size_t index) {
  if (index < epi_model_proxy_port_count(model, proxy)) {
    return &model->proxies[proxy].ports[index];
  }
  epi__fail(EPI_EINVAL, "there is no such port");
  return NULL;
}

size_t epi_model_proxy_port_count(const epi_model *model, size_t proxy) {
  return proxy < model->proxy_names.count ? model->proxies[proxy].port_count
                                          : 0;
}

int epi_model_proxy_port_listen(const epi_model *model, size_t proxy,
                                size_t index, epi_addr *out) {
  const epi__port *port = port_at(model, proxy, index);

  if (!port) {
    return EPI_EINVAL;
  }
  find_listen(&model->proxies[proxy], port, out);
  return 0;
}

ptrdiff_t epi_model_proxy_port_from(const epi_model *model, size_t proxy,
                                    size_t index) {
  const epi__port *port = port_at(model, proxy, index);

  return port ? (ptrdiff_t)port->from : EPI_EINVAL;
}

int epi_model_proxy_port_to(const epi_model *model, size_t proxy, size_t index,
                            epi_addr *out) {
  const epi__port *port = port_at(model, proxy, index);

  if (!port) {
    return EPI_EINVAL;
  }
  if (port->host) {
    return epi_addr_parse(out, port->host, port->to_port);
  }
  epi_model_node_host(model, port->to, out);
  out->port = port->to_port;
  return 0;
}

ptrdiff_t epi__port_find(const epi_model *model, size_t proxy,
                         const epi_addr *listen) {
  size_t count = epi_model_proxy_port_count(model, proxy);
  epi_addr addr;

  for (size_t i = 0; i < count; i++) {
    const epi__port *port = &model->proxies[proxy].ports[i];

    if (port->number == listen->port) {
      find_listen(&model->proxies[proxy], port, &addr);
      if (epi_addr_equal(&addr, listen)) {
        return (ptrdiff_t)i;
      }
    }
  }
  return -1;
}
