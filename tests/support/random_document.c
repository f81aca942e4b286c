/* random_document.c: a document is a tree of values, drawn part by part. */
#include "support/random_document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  WORD,   /* a string or a number, as it is written */
  LIST,   /* the order counts */
  SET,    /* it does not */
  NAMED,  /* an object whose members have names; the order counts */
  RECORD, /* an object with keys; the order does not count */
  VALUES = 4096,
  MEMBERS = 64, /* of one value */
  ATTRIBUTES = 6,
};

typedef struct value {
  int kind;
  char key[40], word[64];
  struct value *members[MEMBERS];
  size_t count;
} value;

static value values[VALUES], *root;
static size_t used;
static uint32_t state = 20251122;

uint32_t draw(uint32_t below) { /* xorshift32 */
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % below;
}

static value *add(value *to, int kind, const char *key) {
  value *made = &values[used++];

  if (used == VALUES || (to && to->count == MEMBERS)) {
    abort();
  }
  memset(made, 0, sizeof *made);
  made->kind = kind;
  snprintf(made->key, sizeof made->key, "%s", key);
  if (to) {
    to->members[to->count++] = made;
  }
  return made;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
word(value *to, const char *key, const char *format, ...) {
  value *made = add(to, WORD, key);
  va_list args;

  va_start(args, format);
  vsnprintf(made->word, sizeof made->word, format, args);
  va_end(args);
}

/* Names that need escapes or more than ASCII, too. */
static const char *const marks[] = {"", "é", "'", " \\\"", "\\\\", "-", "."};

static const char *name(const char *kind, unsigned number) {
  static char text[40];

  snprintf(text, sizeof text, "%s%s%u", kind, marks[number % 7], number);
  return text;
}

static void put_name(value *to, const char *key, const char *kind,
                     unsigned number) {
  word(to, key, "\"%s\"", name(kind, number));
}

static void put_bits(value *to, const char *key, unsigned bits) {
  value *set = bits ? add(to, SET, key) : NULL;

  for (unsigned i = 0; i < ATTRIBUTES; i++) {
    if (bits >> i & 1) { /* the digit stands first: in the order of bytes */
      word(set, "", "\"%ut%s\"", i, marks[i]);
    }
  }
}

static void put_ports(value *to) {
  unsigned first = 1 + draw(65000);
  value *list;

  if (draw(2)) {
    return;
  }
  list = add(to, LIST, "ports");
  for (unsigned i = 0; i < 1 + draw(3); i++) {
    word(list, "", "%u", first + i);
  }
}

/* At least one of count things, in a random rotation. */
static void put_some(value *to, const char *key, const char *kind,
                     unsigned count) {
  value *list = add(to, LIST, key);
  unsigned first = draw(count), many = 1 + draw(count);

  for (unsigned i = 0; i < many; i++) {
    put_name(list, "", kind, (first + i) % count);
  }
}

static unsigned node_count, domain_count, application_count;
static unsigned hosted; /* the nodes with a host name, as bits */
static unsigned function_count, function_bits[4];

static void put_nodes(void) {
  value *nodes = add(root, NAMED, "nodes");

  node_count = draw(6);
  domain_count = hosted = 0;
  for (unsigned i = 0; i < node_count; i++) {
    value *node = add(nodes, RECORD, name("n", i)), *list;

    if (i % 3 == 0) {
      put_name(node, "domain", "d", domain_count++);
    } else if (domain_count && draw(2)) {
      put_name(node, "domain", "d", draw(domain_count));
    }
    if (draw(2)) {
      list = add(node, LIST, "addresses");
      word(list, "", "\"10.%u.0.0/16\"", i);
      word(list, "", "\"2001:db8:%x::/48\"", i + 1);
      word(list, "", "\"h-%u.example\"", i);
      hosted |= 1u << i;
    }
    put_bits(node, "attributes", draw(1 << ATTRIBUTES));
  }
}

/* What a proxy says of the others. */
static void put_links(value *proxy, unsigned self, unsigned count) {
  value *reach = draw(2) ? add(proxy, LIST, "reach") : NULL, *rtts = NULL;
  char key[40];

  for (unsigned i = 0; reach && i < count; i++) {
    if (i != self && draw(2)) {
      put_name(reach, "", "p", i);
    }
  }
  for (unsigned i = 0; i < count; i++) {
    if (i != self && draw(2)) {
      rtts = rtts ? rtts : add(proxy, NAMED, "rtt_ms");
      snprintf(key, sizeof key, "%s", name("p", i));
      word(rtts, key, "%u.%u", draw(100), 1 + draw(9));
    }
  }
}

static void put_proxy_ports(value *proxy) {
  value *list = NULL;

  for (unsigned i = 0; i < node_count; i++) {
    value *port;

    if (!(hosted >> i & 1) || draw(2)) {
      continue;
    }
    list = list ? list : add(proxy, LIST, "ports");
    port = add(list, RECORD, "");
    word(port, "port", "%u", 20000 + i + draw(2) * 100);
    put_name(port, "from", "n", draw(node_count));
    if (draw(2)) {
      word(port, "to", "\"%s:%u\"", name("n", i), 1 + draw(65535));
    } else {
      word(port, "to", "\"x%u.h-%u.example:%u\"", draw(9), i, 1 + draw(65535));
    }
    if (draw(2)) {
      word(port, "listen", "\"10.%u.0.2\"", draw(200));
    }
  }
}

static void put_proxies(void) {
  value *proxies = domain_count && draw(2) ? add(root, NAMED, "proxies") : NULL;
  unsigned count = 1 + draw(3);

  for (unsigned i = 0; proxies && i < count; i++) {
    value *proxy = add(proxies, RECORD, name("p", i));

    put_name(proxy, "domain", "d", draw(domain_count));
    if (draw(2)) {
      word(proxy, "endpoint", "\"socks6+tls://p%u.example:108%u\"", i, i);
    }
    put_links(proxy, i, count);
    put_proxy_ports(proxy);
  }
}

static void put_cost(value *function) {
  static const char *const keys[] = {"setup_ms", "per_flow_ms", "per_mib_ms",
                                     "complexity"};
  value *cost = NULL;

  for (size_t i = 0; i < 4; i++) {
    if (draw(2)) {
      cost = cost ? cost : add(function, RECORD, "cost");
      word(cost, keys[i], "%u.%u", draw(1000), 1 + draw(9));
    }
  }
}

static void put_image(value *function, unsigned number, int needed) {
  unsigned count = draw(3);
  value *options;
  char key[40];

  if (needed || draw(2)) {
    put_name(function, "image", "registry/f", number);
  }
  options = count ? add(function, NAMED, "options") : NULL;
  for (unsigned i = 0; i < count; i++) {
    snprintf(key, sizeof key, "%s", name("o", i));
    put_name(options, key, "v", draw(9));
  }
}

/* The first function undoes others, so it provides nothing. What some of them
 * provide may be listed as bridgeable, which stands before them. */
static void draw_functions(int lists_bridgeable) {
  unsigned provided = 0;

  function_count = draw(4);
  for (unsigned i = 1; i < function_count; i++) {
    function_bits[i] = draw(1 << ATTRIBUTES);
    provided |= function_bits[i];
  }
  if (lists_bridgeable) {
    put_bits(root, "bridgeable", provided & draw(1 << ATTRIBUTES));
  }
}

static void put_functions(void) {
  value *functions = function_count ? add(root, NAMED, "functions") : NULL;

  for (unsigned i = 0; i < function_count; i++) {
    value *function = add(functions, RECORD, name("f", i));
    unsigned how = draw(3);

    put_bits(function, "provides", function_bits[i]);
    if (!how) {
      word(function, "filter", "\"count%s\"", draw(2) ? ":x=\\\"1\\\"" : "");
    } else if (how == 1) {
      value *list = add(function, LIST, "endpoints");

      word(list, "", "\"socks5://f%u.example:1080\"", i);
    }
    if (draw(2)) {
      word(function, "instances", "%u", 1 + draw(9));
    }
    if (draw(2)) {
      word(function, "capacity", "%u", 1 + draw(1000));
    }
    if (i && draw(2)) {
      put_name(function, "pair", "f", 0);
    }
    if (i && draw(2)) {
      put_name(add(function, LIST, "before"), "", "f", i - 1);
    }
    if (i && draw(2)) {
      put_name(add(function, LIST, "after"), "", "f", i - 1);
    }
    put_cost(function);
    if (how && draw(2)) {
      word(function, "proof", "\"none\"");
    }
    put_image(function, i, how == 2);
  }
}

static void put_applications(void) {
  value *applications;

  application_count = node_count ? draw(4) : 0;
  applications = application_count ? add(root, NAMED, "applications") : NULL;
  for (unsigned i = 0; i < application_count; i++) {
    value *application = add(applications, RECORD, name("a", i));
    unsigned has_flows = draw(2);
    value *flows;

    if (draw(2)) {
      put_name(application, "purpose", "w", draw(9));
    }
    if (draw(2)) {
      put_name(application, "dataset", "w", draw(9));
    }
    if (!has_flows) {
      put_some(application, "nodes", "n", node_count);
      continue;
    }
    flows = add(application, LIST, "flows");
    for (unsigned k = 0; k < 1 + draw(3); k++) {
      value *flow = add(flows, RECORD, "");

      put_name(flow, "from", "n", draw(node_count));
      put_name(flow, "to", "n", draw(node_count));
      put_ports(flow);
    }
  }
}

static void put_party(value *rule, const char *key) {
  value *list;

  if (draw(2)) {
    return;
  }
  list = add(rule, LIST, key);
  word(list, "", "\"unknown\"");
  word(list, "", "\"10.0.%u.0/24\"", draw(256));
  if (node_count) {
    put_name(list, "", "n", draw(node_count));
    put_name(list, "", "area:n", draw(node_count));
    put_name(list, "", "domain:d", draw(domain_count));
  }
}

static void put_time(value *rule) {
  value *window = draw(3) ? NULL : add(rule, RECORD, "time");

  if (window && draw(2)) {
    word(window, "from", "\"%02u:%02u\"", 1 + draw(11), draw(60));
  }
  if (window && draw(2)) {
    word(window, "to", "\"%02u:%02u\"", 12 + draw(11), draw(60));
  }
  if (window && draw(2)) {
    value *days = add(window, SET, "days");

    word(days, "", "\"mon\"");
    word(days, "", "\"sun\"");
  }
}

static void put_means(value *rule) {
  static const char *const words[] = {"password", "certificate", "key",
                                      "address", "none"};
  unsigned set = draw(4) ? 0 : draw(32);
  value *list = set ? add(rule, SET, "authenticated") : NULL;

  for (unsigned i = 0; i < 5; i++) {
    if (set >> i & 1) {
      word(list, "", "\"%s\"", words[i]);
    }
  }
}

static void put_rule(value *rules, unsigned number) {
  static const char *const effects[] = {"allow", "deny", "require"};
  static const char *const words[] = {"purpose", "dataset", "user", "consent"};
  value *rule = add(rules, RECORD, "");
  unsigned effect = draw(3);

  put_name(rule, "id", "r", number);
  word(rule, "effect", "\"%s\"", effects[effect]);
  put_party(rule, "from");
  put_party(rule, "to");
  if (application_count && draw(2)) {
    put_some(rule, "application", "a", application_count);
  }
  for (size_t i = 0; i < 4; i++) {
    if (!draw(3)) {
      put_some(rule, words[i], "w", 9);
    }
  }
  put_means(rule);
  put_ports(rule);
  put_time(rule);
  if (effect == 2) {
    put_bits(rule, "attributes", 1 + draw((1 << ATTRIBUTES) - 1));
  }
  if (draw(2)) {
    put_name(rule, "reason", "why ", number);
  }
}

static void put_policy(void) {
  unsigned allow = draw(2), count = draw(6);
  value *policy = allow || count ? add(root, RECORD, "policy") : NULL;
  value *rules;

  if (allow) {
    word(policy, "default", "\"allow\"");
  }
  rules = count ? add(policy, LIST, "rules") : NULL;
  for (unsigned i = 0; i < count; i++) {
    put_rule(rules, i);
  }
}

void document_new(void) {
  int lists_bridgeable = !draw(3);

  used = 0;
  root = add(NULL, RECORD, "");
  word(root, "epi", "1");
  if (!draw(3)) {
    word(root, "gap", "\"as-printed\"");
  }
  if (!draw(3)) {
    word(root, "private", "\"any\"");
  }
  if (lists_bridgeable || draw(2)) {
    put_bits(root, "attributes", (1 << ATTRIBUTES) - 1);
  }
  draw_functions(lists_bridgeable);
  put_nodes();
  put_proxies();
  put_functions();
  put_applications();
  put_policy();
}

typedef struct output {
  char *at;
  size_t size, len;
  int as_is;
} output;

static void put(output *out, const char *text) {
  size_t len = strlen(text);

  if (out->len + len >= out->size) {
    abort();
  }
  memcpy(out->at + out->len, text, len + 1);
  out->len += len;
}

static void space(output *out) {
  static const char *const spaces[] = {"", " ", "\n", "\t", "\r\n  "};

  put(out, out->as_is ? "" : spaces[draw(5)]);
}

static void put_value(output *out, const value *from);

static void put_members(output *out, const value *from) {
  const value *members[MEMBERS];
  int mixed = !out->as_is && (from->kind == SET || from->kind == RECORD);

  memcpy(members, from->members, sizeof members);
  for (size_t i = 0; i < from->count; i++) {
    size_t other = mixed ? i + draw((uint32_t)(from->count - i)) : i;
    const value *member = members[other];

    members[other] = members[i];
    put(out, i ? "," : "");
    space(out);
    if (from->kind == NAMED || from->kind == RECORD) {
      put(out, "\"");
      put(out, member->key);
      put(out, "\"");
      space(out);
      put(out, ":");
      space(out);
    }
    put_value(out, member);
    space(out);
  }
}

static void put_value(output *out, const value *from) {
  if (from->kind == WORD) {
    put(out, from->word);
    return;
  }
  put(out, from->kind == LIST || from->kind == SET ? "[" : "{");
  put_members(out, from);
  space(out);
  put(out, from->kind == LIST || from->kind == SET ? "]" : "}");
}

size_t document_put(char *text, size_t size, int as_is) {
  output out = {text, size, 0, as_is};

  space(&out);
  put_value(&out, root);
  space(&out);
  return out.len;
}
