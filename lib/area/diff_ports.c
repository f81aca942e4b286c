/* diff_ports.c: which ports of proxies a new model opens, closes, or leads
 * elsewhere. */
#include "area/diff.h"

#include "base/json.h"
#include "base/net.h"

#include <string.h>

typedef struct port { /* of one of the models; NULL for none */
  const epi_model *model;
  size_t proxy, index;
} port;

static const char *from_of(const port *at) {
  ptrdiff_t node = epi_model_proxy_port_from(at->model, at->proxy, at->index);

  return epi_model_node_name(at->model, (size_t)node);
}

static const char *to_of(const port *at, epi__addr_buf *text) {
  epi_addr to = {0};

  epi_model_proxy_port_to(at->model, at->proxy, at->index, &to);
  return epi__addr_text(&to, text);
}

/* The port of the same proxy at the same address in another model. */
static port find_same(const epi_model *other, const port *at) {
  const char *name = epi_model_proxy_name(at->model, at->proxy);
  ptrdiff_t proxy = epi__names_find(&other->proxy_names, name);
  ptrdiff_t index = -1;
  port none = {0};
  epi_addr listen;

  if (proxy >= 0) {
    epi_model_proxy_port_listen(at->model, at->proxy, at->index, &listen);
    index = epi__port_find(other, (size_t)proxy, &listen);
  }
  return index < 0 ? none : (port){other, (size_t)proxy, (size_t)index};
}

static int differ(const port *a, const port *b) {
  epi__addr_buf one, two;

  return strcmp(from_of(a), from_of(b)) ||
         strcmp(to_of(a, &one), to_of(b, &two));
}

/* ---- as text, and as JSON ---- */

static void tell_side(epi__text *out, const char *label, const port *at) {
  epi__addr_buf text;

  if (at->model) {
    epi__text_printf(out, "    %s from ", label);
    epi__text_puts(out, from_of(at));
    epi__text_puts(out, " to ");
    epi__text_puts(out, to_of(at, &text));
    epi__text_puts(out, "\n");
  }
}

static void put_side(epi__text *out, const char *key, const port *at) {
  epi__addr_buf text;

  epi__text_printf(out, ",\"%s\":", key);
  if (!at->model) {
    epi__text_puts(out, "null");
    return;
  }
  epi__text_puts(out, "{\"from\":");
  epi__json_put_string(out, from_of(at));
  epi__text_puts(out, ",\"to\":");
  epi__json_put_string(out, to_of(at, &text));
  epi__text_puts(out, "}");
}

static void put(epi__diff *diff, const port *was, const port *is) {
  const port *at = is->model ? is : was;
  const char *change = !was->model  ? "opens"
                       : !is->model ? "closes"
                                    : "changes";
  const char *proxy = epi_model_proxy_name(at->model, at->proxy);
  epi__text *out = &diff->text;
  epi__addr_buf text;
  epi_addr listen;

  epi_model_proxy_port_listen(at->model, at->proxy, at->index, &listen);
  epi__addr_text(&listen, &text);
  if (diff->form == EPI_FORM_JSON) {
    epi__text_printf(
        out, "%s{\"change\":\"%s\",\"proxy\":", diff->ports ? "," : "", change);
    epi__json_put_string(out, proxy);
    epi__text_printf(out, ",\"listen\":\"%s\"", text.text);
    put_side(out, "was", was);
    put_side(out, "is", is);
    epi__text_puts(out, "}");
  } else {
    epi__text_printf(out, "%-8sport %s of ", change, text.text);
    epi__text_puts(out, proxy);
    epi__text_puts(out, "\n");
    tell_side(out, "was", was);
    tell_side(out, "is", is);
  }
  diff->ports++;
}

/* Those of one model that the other lacks or, if both is 1, has for something
 * else. */
static void compare(epi__diff *diff, const epi_model *model,
                    const epi_model *other, int both) {
  for (size_t i = 0; i < model->proxy_names.count; i++) {
    for (size_t k = 0; k < model->proxies[i].port_count; k++) {
      port one = {model, i, k};
      port two = find_same(other, &one);

      if (!two.model || (both && differ(&one, &two))) {
        put(diff, both ? &two : &one, both ? &one : &two);
      }
    }
  }
}

void epi__diff_ports(epi__diff *diff) {
  if (diff->form == EPI_FORM_JSON) {
    epi__text_puts(&diff->text, "],\"ports\":[");
  }
  compare(diff, diff->is.model, diff->was.model, 1);
  compare(diff, diff->was.model, diff->is.model, 0);
}
