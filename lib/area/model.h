/* model.h: the inside of a model: names are numbers, in document order, and
 * sets of attributes are bits. Nothing changes once the model is read, but for
 * the chains that it remembers. */
#ifndef EPI__MODEL_H
#define EPI__MODEL_H

#include "area/attrs.h"
#include "area/authenticated.h"
#include "area/node_lookup.h"
#include "base/bytes.h"
#include "base/names.h"
#include "epi/area.h"

#include <stdatomic.h>

/* What doc/model.md promises to take. */
enum {
  EPI__NODES_MAX = 1000000,
  EPI__ATTRIBUTES_MAX = 1024,
  EPI__FUNCTIONS_MAX = 1024,
  EPI__PROXIES_MAX = 65536,
  EPI__ROUTED_MAX = 512, /* proxies, if some cannot connect to all others */
  EPI__PATH_MAX = 16,    /* proxies that a flow may pass */
  EPI__APPLICATIONS_MAX = 65536,
  EPI__RULES_MAX = 65536,
  EPI__LIST_MAX = 65536,  /* addresses of a node; nodes, flows of application */
  EPI__VALUES_MAX = 1024, /* every other list */
  EPI__LIMIT_MAX = 1000000, /* instances, and flows of an instance */
  EPI__TEXT_MAX = 2047,     /* bytes of reasons, filters and URLs */
};

#define EPI__NONE UINT32_MAX /* no number */

/* Bytes of a flow, and bytes a second, at most. */
#define EPI__BYTES_MAX INT64_C(1000000000000000)
#define EPI__RATE_MAX  INT64_C(1000000000000)

enum { /* directions of a flow */
       EPI__OUT,
       EPI__BACK,
};

typedef struct epi__list { /* of numbers */
  uint32_t *items;
  size_t count, capacity;
} epi__list;

/* Returns 0 or EPI_ENOMEM. */
int epi__list_add(epi__list *list, uint32_t item);
int epi__list_has(const epi__list *list, uint32_t item);

typedef struct epi__node {
  uint32_t domain, area;
  size_t entry, entry_count; /* its addresses, in the lookup */
} epi__node;

typedef struct epi__rtt { /* a round trip to another proxy */
  uint32_t proxy;
  double ms;
} epi__rtt;

typedef struct epi__port { /* that leads to one destination */
  uint16_t number, to_port;
  uint32_t from, to; /* nodes */
  char *host;        /* of the destination; NULL: the first one of its node */
  char *listen;      /* IP address; NULL: that of the proxy's endpoint */
} epi__port;

typedef struct epi__proxy {
  uint32_t domain;
  char *endpoint;  /* or NULL */
  int lists_reach; /* else it can connect to all others */
  epi__list reach;
  epi__rtt *rtts;
  size_t rtt_count, rtt_capacity;
  epi__port *ports;
  size_t port_count, port_capacity;
} epi__proxy;

enum {
  EPI__SETUP,
  EPI__PER_FLOW,
  EPI__PER_MIB,
  EPI__COMPLEXITY,
  EPI__COSTS,
};

typedef struct epi__function {
  uint64_t *provides;
  char *filter; /* or NULL: there are endpoints, else the image is started */
  char **endpoints;
  size_t endpoint_count;
  uint32_t instances, capacity; /* 0: no limit */
  uint32_t pair;                /* what undoes this one */
  int undoes;                   /* this one is such a pair */
  int fails_open;               /* flows go on without it when it fails */
  int proves;  /* it runs elsewhere, and shows that it saw a flow */
  int ordered; /* has a pair, or something comes before or after it */
  epi__list before, after;
  double costs[EPI__COSTS];
  double cost_ms; /* all of them, weighted */
  char *image;    /* or NULL */
  char *options;  /* of the image, a canonical JSON object; or NULL */
} epi__function;

typedef struct epi__move { /* a flow of an application */
  uint32_t from, to;
  epi__list ports; /* none: any */
  size_t first;    /* its index in epi_model_application_flow() */
} epi__move;

typedef struct epi__limits { /* of the flows of an application; 0: none */
  int64_t flows;             /* at once */
  int64_t bytes[2];          /* of each, by EPI__OUT and EPI__BACK */
  int64_t rates[2];          /* the same, in bytes a second */
} epi__limits;

typedef struct epi__application {
  uint32_t purpose, dataset; /* terms */
  int lists_nodes;           /* else its nodes are those of its flows */
  epi__list nodes;
  epi__list members; /* its nodes again, in ascending order */
  int lists_moves;   /* else every ordered pair of its nodes */
  epi__move *moves;
  size_t move_count, move_capacity;
  size_t flow_count; /* a port of a move each */
  epi__limits limits;
} epi__application;

/* Where a node's flows may go: found by their source. */
typedef struct epi__exit {
  uint32_t application;
  uint32_t move; /* or EPI__NONE: to any member */
} epi__exit;

enum {
  EPI__PARTY_NODE,
  EPI__PARTY_DOMAIN,
  EPI__PARTY_HAS,
  EPI__PARTY_AREA,
  EPI__PARTY_UNKNOWN,
  EPI__PARTY_RANGE,
};

typedef struct epi__party { /* a value of the criteria `from` and `to` */
  int kind;
  uint32_t number; /* node, domain, attribute, or the node of the area */
  epi__range range;
} epi__party;

typedef struct epi__parties {
  epi__party *items;
  size_t count, capacity;
} epi__parties;

enum {
  EPI__ALLOW,
  EPI__DENY,
  EPI__REQUIRE,
};

enum { /* criteria whose values are terms or applications */
       EPI__BY_APPLICATION,
       EPI__BY_PURPOSE,
       EPI__BY_DATASET,
       EPI__BY_USER,
       EPI__BY_CONSENT,
       EPI__BY_COUNT,
};

typedef struct epi__window {
  int set;
  int from, to;  /* minutes of the day; from > to spans midnight */
  unsigned days; /* bit 0 is Monday */
} epi__window;

typedef struct epi__rule {
  int effect;
  char *reason; /* as in the document, or NULL */
  char *says;   /* never NULL */
  uint64_t *attributes;
  epi__parties from, to;
  epi__list values[EPI__BY_COUNT];
  unsigned authenticated; /* a set, EPI__AUTH_*; 0: it does not matter */
  epi__list ports;
  epi__window window;
} epi__rule;

typedef struct epi__rule_ref {
  uint32_t rule;
  uint32_t test; /* one more thing that it speaks of; 0: none (rule_lists.h) */
} epi__rule_ref;

typedef struct epi__rule_list {
  uint64_t key;         /* what its rules speak of */
  epi__rule_ref *rules; /* in document order */
  size_t count, capacity;
  uint32_t next; /* of the same slot: 0 is none, else the list + 1 */
} epi__rule_list;

typedef struct epi__rule_index {
  epi__rule_list *lists;
  size_t list_count, list_capacity;
  uint32_t *slots;         /* 0 is empty, else the first list + 1 */
  unsigned bits;           /* of the number of a slot */
  uint64_t factor;         /* odd, and known to nobody */
  epi__node_lookup ranges; /* those that rules name; nodes are their numbers */
} epi__rule_index;

typedef struct epi__chain_cache epi__chain_cache; /* chain_cache.h */

struct epi_model {
  atomic_size_t references;
  char hash[65];
  int as_printed;
  int private_any; /* else private addresses of no node are refused */

  epi__names attributes; /* in the order of their bytes */
  int lists_attributes;
  size_t words; /* of a set of attributes */
  uint64_t *bridgeable;
  int lists_bridgeable;

  epi__names node_names, domains;
  epi__node *nodes;
  epi__node_lookup lookup;

  uint64_t *area_sets; /* words for each area */
  size_t area_count;
  size_t *area_start; /* into area_nodes; one more than areas */
  uint32_t *area_nodes;

  epi__names proxy_names;
  epi__proxy *proxies;
  uint32_t *domain_proxy; /* for each domain, or EPI__NONE */
  uint32_t *next_proxy;   /* from, to: the next on the way, or EPI__NONE; NULL
                             if every proxy can connect to every other */

  epi__names endpoints; /* of proxies and functions, HOST:PORT */

  epi__names function_names;
  epi__function *functions;
  epi__chain_cache *chains; /* NULL without functions */

  epi__names application_names;
  epi__application *applications;
  size_t *exit_start; /* into exits; one more than nodes */
  epi__exit *exits;

  epi__names terms; /* purposes, datasets, users, consents */
  epi__names rule_names;
  epi__rule *rules;
  epi__rule_index rule_index;
  int default_allow;
  int names_ranges; /* some rule has a range in `to` */
};

static inline const uint64_t *epi__area_set(const epi_model *model,
                                            size_t area) {
  return model->area_sets + area * model->words;
}

static inline const uint64_t *epi__node_set(const epi_model *model,
                                            size_t node) {
  return epi__area_set(model, model->nodes[node].area);
}

/* An empty model with one reference, or NULL. */
epi_model *epi__model_new(void);

/* Free what a rule holds; it is empty then. */
void epi__rule_clear(epi__rule *rule);

/* Write a set of attributes as a JSON list of their names. */
void epi__attributes_put(epi__text *out, const epi_model *model,
                         const uint64_t *set);

/* epi_model_write() with one more rule before another, or behind all; more may
 * be NULL. */
int epi__model_write(const epi_model *model, const char *more, size_t before,
                     char **out);

/* "mon" for 0 ... "sun" for 6. */
const char *epi__day_name(unsigned day);

/* ---- areas.c ---- */

/* Give each node its area; sets has the words of each node in turn. Returns 0
 * or EPI_ENOMEM. */
int epi__areas_make(epi_model *model, const uint64_t *sets);

/* ---- proxy_routes.c ---- */

/* Find the ways between proxies. Returns 0 or EPI_ENOMEM. */
int epi__routes_make(epi_model *model);

/* The round trip between two proxies in ms, 0 if the model does not say. */
double epi__round_trip(const epi_model *model, size_t from, size_t to);

/* The proxies on the way from one to another, both included. Returns how many,
 * or 0 if there is no way of at most EPI__PATH_MAX. */
size_t epi__proxy_way(const epi_model *model, uint32_t from, uint32_t to,
                      uint32_t path[EPI__PATH_MAX]);

/* ---- model_ports.c ---- */

/* The index of a proxy's port that listens at an address; or -1. */
ptrdiff_t epi__port_find(const epi_model *model, size_t proxy,
                         const epi_addr *listen);

/* ---- policy_index.c ---- */

/* Index the rules by what they speak of. Returns 0 or EPI_ENOMEM. */
int epi__rules_index(epi_model *model);

/* ---- rule_lists.c ---- */

void epi__rule_index_clear(epi__rule_index *index);

/* ---- model_exits.c ---- */

/* Make members, flow counts and exits of all applications. Returns 0 or
 * EPI_ENOMEM. */
int epi__exits_make(epi_model *model);

/* 1 if the application has the flow; port 0 is no port. */
int epi__exit_takes(const epi_model *model, const epi__exit *out, uint32_t to,
                    int port);

#endif
