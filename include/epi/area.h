/* area.h: the area logic model: which data movements are safe.
 *
 * A model is read from one JSON document (doc/model.md) into an immutable
 * snapshot. A query asks it about one flow; a decision is its answer: the
 * verdict, why, and the plan (plan.h) of what must be put in between. */
#ifndef EPI_AREA_H
#define EPI_AREA_H

#include "addr.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_model epi_model;
typedef struct epi_builder epi_builder;
typedef struct epi_query epi_query;
typedef struct epi_decision epi_decision;
typedef struct epi_plan epi_plan; /* plan.h */

/* Verdicts of a flow. The last three are refused alike. */
#define EPI_DIRECT       1 /* nothing is missing */
#define EPI_BRIDGED      2 /* the plan's functions apply what is missing */
#define EPI_UNBRIDGEABLE 3 /* no function may apply what is missing */
#define EPI_UNPLACEABLE  4 /* functions exist, but no chain of them fits */
#define EPI_DENIED       5 /* a rule, or the default, says no */

/* The largest model document, in bytes. */
#define EPI_MODEL_MAX (64 * 1024 * 1024)

/* ---- model ---- */

/* Read a model document, version 1.
 *
 * json is yours again when the call returns. problems may be NULL; else every
 * error of the document is added to it, a line each, with its path, as in
 * `applications.train.flows[2].to: no node "umx"`.
 * Returns 0, or EPI_EMODEL (problems has the errors, the error detail the
 * first), EPI_ELIMIT (over EPI_MODEL_MAX) or EPI_ENOMEM; there is no model
 * then: nothing of a bad document takes effect. Threads: any. */
EPI_API int epi_model_read(epi_model **out, epi_report *problems,
                           const void *json, size_t len);

/* ---- builder: a model by calls ---- */

/* Begin a model without a document. What is added and set here has the names
 * and the meaning of doc/model.md, and is checked when it is finished.
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_builder_new(epi_builder **out);

/* End a builder. NULL is fine. */
EPI_API void epi_builder_free(epi_builder *builder);

/* Add a thing; the calls that set and add describe what was added last. A flow
 * is one of the application that was added last, a port one of the proxy, from
 * a node to NODE:PORT or HOST:PORT, and `port` says at which number; the effect
 * of a rule is "allow", "deny" or "require".
 *
 * Return 0, EPI_EINVAL (a text is NULL or not UTF-8; a flow without an
 * application before it, a port without a proxy) or EPI_ENOMEM; the builder is
 * then as it was. */
EPI_API int epi_builder_add_node(epi_builder *builder, const char *name);
EPI_API int epi_builder_add_proxy(epi_builder *builder, const char *name,
                                  const char *domain);
EPI_API int epi_builder_add_port(epi_builder *builder, const char *from,
                                 const char *to);
EPI_API int epi_builder_add_function(epi_builder *builder, const char *name);
EPI_API int epi_builder_add_application(epi_builder *builder, const char *name);
EPI_API int epi_builder_add_flow(epi_builder *builder, const char *from,
                                 const char *to);
EPI_API int epi_builder_add_rule(epi_builder *builder, const char *id,
                                 const char *effect);

/* Describe what was added last; before anything was added, the model as a
 * whole, of which `epi` is set already. key is a key of the tables of
 * doc/model.md, as "domain" of a node; a key of an object within stands behind
 * a dot, as "cost.setup_ms" or "rtt_ms.px-umc" or, for the model,
 * "policy.default". _set_ gives a key its one value, _add_ puts one more into
 * its list.
 *
 * Return 0, EPI_EINVAL (a text is NULL or not UTF-8; the key has a value of
 * another kind already) or EPI_ENOMEM. An unknown key shows at the end. */
EPI_API int epi_builder_set_text(epi_builder *builder, const char *key,
                                 const char *value);
EPI_API int epi_builder_set_number(epi_builder *builder, const char *key,
                                   double value);
EPI_API int epi_builder_add_text(epi_builder *builder, const char *key,
                                 const char *value);
EPI_API int epi_builder_add_number(epi_builder *builder, const char *key,
                                   double value);

/* Make the model of what was added so far. The builder stays as it is: more may
 * be added, and another model made.
 *
 * problems is as for epi_model_read(); the paths are those of the document that
 * says the same, and so are the model and its hash.
 * Returns 0, EPI_EMODEL or EPI_ENOMEM. */
EPI_API int epi_builder_finish(const epi_builder *builder, epi_report *problems,
                               epi_model **out);

/* ---- the life of a model, and what it says ---- */

/* Hold a model once more: one more epi_model_free() is needed.
 *
 * Returns its argument. Threads: any, on the same model too. */
EPI_API epi_model *epi_model_ref(epi_model *model);

/* Let go of a model; the last one frees it. NULL is fine. Threads: any, on the
 * same model too. */
EPI_API void epi_model_free(epi_model *model);

/* The rest reads a model. Texts live as long as the model. Indices count from
 * 0; an index past the end gives NULL, 0 or EPI_EINVAL. Threads: any, on the
 * same model too. */

/* The SHA-256 of the canonical document, as 64 hexadecimal digits. */
EPI_API const char *epi_model_hash(const epi_model *model);

/* Write the canonical document: the model as JSON without white space, in
 * document order, defaults left out. Free it with epi_free().
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_model_write(const epi_model *model, char **out);

/* Write everything the model says, as `epi-check --json` prints it: areas,
 * channels, decisions, numbers. Free it with epi_free().
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_model_overview(const epi_model *model, char **out);

/* Nodes, in document order; the domain is "" if the node has none. */
EPI_API size_t epi_model_node_count(const epi_model *model);
EPI_API const char *epi_model_node_name(const epi_model *model, size_t node);
EPI_API const char *epi_model_node_domain(const epi_model *model, size_t node);

/* Find a node by its name. Returns its index, or EPI_ENOENT. */
EPI_API ptrdiff_t epi_model_node_find(const epi_model *model, const char *name);

/* Find the node of an address: the longest prefix; of a name: the entry that
 * is the name or the longest that it ends in, at a dot. The port plays no part.
 *
 * Returns its index, or EPI_ENOENT: the address is `unknown`. */
EPI_API ptrdiff_t epi_model_node_at(const epi_model *model,
                                    const epi_addr *addr);

/* The host of a node: the first of its addresses that is one address or a host
 * name, not a range. Its port is 0.
 *
 * Returns 0, EPI_EINVAL (no such node) or EPI_ENOENT (it has ranges only, or
 * no addresses); out is then untouched. */
EPI_API int epi_model_node_host(const epi_model *model, size_t node,
                                epi_addr *out);

/* Areas, with the nodes and the attributes of each. */
EPI_API size_t epi_model_area_count(const epi_model *model);
EPI_API size_t epi_model_area_node_count(const epi_model *model, size_t area);
/* Returns a node's index, or EPI_EINVAL. */
EPI_API ptrdiff_t epi_model_area_node(const epi_model *model, size_t area,
                                      size_t index);
EPI_API size_t epi_model_area_attribute_count(const epi_model *model,
                                              size_t area);
EPI_API const char *epi_model_area_attribute(const epi_model *model,
                                             size_t area, size_t index);
/* Returns the area of a node, or EPI_EINVAL. */
EPI_API ptrdiff_t epi_model_area_of(const epi_model *model, size_t node);

/* Find the areas just above an area: those that have all of its attributes and
 * more, without another area in between. Data may move along these steps, and
 * every channel between areas is one step or several; without any of the steps
 * some channel would not follow.
 *
 * above takes up to max areas, in ascending order; it may be NULL when max is
 * 0. Returns how many there are, EPI_EINVAL (no such area) or EPI_ENOMEM. */
EPI_API ptrdiff_t epi_model_area_above(const epi_model *model, size_t area,
                                       size_t *above, size_t max);

/* Say whether data may move from one node to another as they are: the first
 * one's attributes are a subset of the other's (Eq. 4 of the paper).
 *
 * Returns 1, 0, or EPI_EINVAL (no such node). */
EPI_API int epi_model_channel(const epi_model *model, size_t from, size_t to);

/* Count the gap between two nodes, and name its attributes: what `from` has
 * and `to` lacks; with `"gap": "as-printed"` the set that the paper's Eq. 5
 * prints, which is the reverse.
 *
 * names takes up to max texts; it may be NULL when max is 0.
 * Returns the size of the gap, or EPI_EINVAL (no such node). */
EPI_API ptrdiff_t epi_model_gap(const epi_model *model, size_t from, size_t to,
                                const char **names, size_t max);

/* Say whether the gap between two nodes may be bridged: all of it is in what
 * the model has as bridgeable.
 *
 * Returns 1, 0, EPI_EINVAL (no such node) or EPI_ENOMEM. */
EPI_API int epi_model_gap_bridgeable(const epi_model *model, size_t from,
                                     size_t to);

/* Applications, in document order. */
EPI_API size_t epi_model_application_count(const epi_model *model);
EPI_API const char *epi_model_application_name(const epi_model *model,
                                               size_t application);

/* Find an application by its name. Returns its index, or EPI_ENOENT. */
EPI_API ptrdiff_t epi_model_application_find(const epi_model *model,
                                             const char *name);

/* Find the areas of an application's nodes. The gaps of the application are
 * those between them: epi_model_gap() for a node of each.
 *
 * areas takes up to max areas, in ascending order; it may be NULL when max is
 * 0. Returns how many there are, EPI_EINVAL (no such application) or
 * EPI_ENOMEM. */
EPI_API ptrdiff_t epi_model_application_areas(const epi_model *model,
                                              size_t application, size_t *areas,
                                              size_t max);

/* Go through the flows of an application, in document order: one for each of
 * its ports, or for each ordered pair of its nodes if it lists no flows.
 *
 * The port is -1 for a flow that may use any. epi_model_application_flow()
 * returns 0 or EPI_EINVAL (no such flow). */
EPI_API size_t epi_model_application_flow_count(const epi_model *model,
                                                size_t application);
EPI_API int epi_model_application_flow(const epi_model *model,
                                       size_t application, size_t index,
                                       size_t *from, size_t *to, int *port);

/* Which ordered pairs of distinct nodes epi_model_pairs() counts. */
#define EPI_PAIRS_SUPPORTED    1
#define EPI_PAIRS_UNSUPPORTED  2
#define EPI_PAIRS_UNBRIDGEABLE 3

/* Count ordered pairs of distinct nodes, by attributes alone.
 *
 * application is an index, or -1 for all nodes; kind is one of EPI_PAIRS_*.
 * Returns the count, EPI_EINVAL or EPI_ENOMEM. */
EPI_API int64_t epi_model_pairs(const epi_model *model, ptrdiff_t application,
                                int kind);

/* The unfeasibility ratio: unbridgeable / unsupported pairs, 0 if none is
 * unsupported. application as above; -1.0 if there is no such application or
 * no memory. */
EPI_API double epi_model_ratio(const epi_model *model, ptrdiff_t application);

/* The endpoint URL of a proxy of the model, or NULL if there is no such proxy
 * or it has no endpoint. */
EPI_API const char *epi_model_proxy_endpoint(const epi_model *model,
                                             const char *proxy);
EPI_API size_t epi_model_proxy_count(const epi_model *model);
EPI_API const char *epi_model_proxy_name(const epi_model *model, size_t proxy);

/* The ports of a proxy, in document order, each of which leads from one node to
 * one destination: where the proxy listens, an IP address and the port; which
 * node may connect there; and where its flows go, the host of a node and the
 * port.
 *
 * epi_model_proxy_port_from() returns a node's index, the others 0; or
 * EPI_EINVAL (no such proxy or port). */
EPI_API size_t epi_model_proxy_port_count(const epi_model *model, size_t proxy);
EPI_API int epi_model_proxy_port_listen(const epi_model *model, size_t proxy,
                                        size_t index, epi_addr *out);
EPI_API ptrdiff_t epi_model_proxy_port_from(const epi_model *model,
                                            size_t proxy, size_t index);
EPI_API int epi_model_proxy_port_to(const epi_model *model, size_t proxy,
                                    size_t index, epi_addr *out);

/* The functions, in document order: the name, and how one runs in process, as
 * `NAME[:ARGS]`; NULL for one that runs at endpoints, or is started. */
EPI_API size_t epi_model_function_count(const epi_model *model);
EPI_API const char *epi_model_function_name(const epi_model *model,
                                            size_t function);
EPI_API const char *epi_model_function_filter(const epi_model *model,
                                              size_t function);

/* Where a function's instances are, as URLs, in document order; none for one
 * that runs in process. */
EPI_API size_t epi_model_function_endpoint_count(const epi_model *model,
                                                 size_t function);
EPI_API const char *epi_model_function_endpoint(const epi_model *model,
                                                size_t function,
                                                size_t endpoint);

/* 1 if flows go on without a function when it fails (`"fail": "open"`), 0 if
 * they are cut, and for no such function. */
EPI_API int epi_model_function_fails_open(const epi_model *model,
                                          size_t function);

/* 1 if a function that runs elsewhere must show that it saw a flow, where the
 * proxies share a chain key; 0 if not (`"proof": "none"`), for one in process,
 * and for no such function. */
EPI_API int epi_model_function_proves(const epi_model *model, size_t function);

/* What an orchestrator starts for a function: the container image, and its
 * options as the text of a JSON object of strings. NULL for what the document
 * does not say. */
EPI_API const char *epi_model_function_image(const epi_model *model,
                                             size_t function);
EPI_API const char *epi_model_function_options(const epi_model *model,
                                               size_t function);

/* How many instances of a function exist or may be started, and how many flows
 * each can carry; 0 if the model sets no limit, which for instances that are
 * started on demand means one. */
EPI_API int epi_model_function_instances(const epi_model *model,
                                         size_t function);
EPI_API int epi_model_function_capacity(const epi_model *model,
                                        size_t function);

/* ---- query ---- */

/* What epi_query_set() sets. */
#define EPI_QUERY_APPLICATION   1
#define EPI_QUERY_PURPOSE       2
#define EPI_QUERY_DATASET       3
#define EPI_QUERY_USER          4
#define EPI_QUERY_CONSENT       5
#define EPI_QUERY_AUTHENTICATED 6 /* by what the client showed who it is */

/* Make a query about one flow; nothing in it is set.
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_query_new(epi_query **out);

/* End a query. NULL is fine. */
EPI_API void epi_query_free(epi_query *query);

/* Say where the flow comes from, and where it goes to, by address. The port
 * of `to` is the flow's, 0 for none; that of `from` plays no part.
 *
 * Returns 0 or EPI_EINVAL (kind EPI_ADDR_NONE). */
EPI_API int epi_query_set_from(epi_query *query, const epi_addr *from);
EPI_API int epi_query_set_to(epi_query *query, const epi_addr *to);

/* The same by the name of a node. A flow without a port matches criteria of
 * any port: use port -1 for that.
 *
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. A name that the model does not have
 * shows in epi_model_decide(). */
EPI_API int epi_query_set_from_node(epi_query *query, const char *node);
EPI_API int epi_query_set_to_node(epi_query *query, const char *node, int port);

/* Set a further fact of the flow, EPI_QUERY_*; NULL unsets it.
 *
 * EPI_QUERY_AUTHENTICATED is "none", which is also what counts if nothing is
 * said, or some of "password", "certificate", "key" and "address" with commas
 * between.
 * Returns 0, EPI_EINVAL (no such key, or no such word) or EPI_ENOMEM. */
EPI_API int epi_query_set(epi_query *query, int key, const char *value);

/* Say when the flow happens, in seconds since 1970-01-01 UTC. Without this no
 * rule with a time window matches. */
EPI_API void epi_query_set_time(epi_query *query, int64_t seconds);

/* The costs of a function that epi_query_set_weight() weighs. */
#define EPI_COST_SETUP      1
#define EPI_COST_PER_FLOW   2
#define EPI_COST_PER_MIB    3
#define EPI_COST_COMPLEXITY 4

/* Say how much a cost weighs when functions are chosen, from 0 to 1e12. Each
 * weighs 1 if nothing is said: a flow of 1 MiB, a unit of complexity as much
 * as a millisecond. For a flow of 4 GiB, EPI_COST_PER_MIB weighs 4096.
 *
 * Returns 0 or EPI_EINVAL. */
EPI_API int epi_query_set_weight(epi_query *query, int cost, double weight);

/* Say how many other flows use a function; 0 if nothing is said. One with
 * instances and capacity is passed over when it has as many flows as all of its
 * instances can carry. A function that the model does not have plays no part.
 *
 * Returns 0, EPI_EINVAL (function is NULL or flows below 0) or EPI_ENOMEM. */
EPI_API int epi_query_set_running(epi_query *query, const char *function,
                                  int64_t flows);

/* ---- decision ---- */

/* Make an empty decision, to be filled by epi_model_decide() any number of
 * times. Returns 0 or EPI_ENOMEM. */
EPI_API int epi_decision_new(epi_decision **out);

/* End a decision. NULL is fine. */
EPI_API void epi_decision_free(epi_decision *decision);

/* Decide about one flow.
 *
 * out holds a reference to the model from then on; what it said before is
 * gone. Whatever the verdict, the call succeeds.
 * Returns 0, EPI_EINVAL (from or to is not set), EPI_ENOENT (a node or an
 * application that the query names is not in the model) or EPI_ENOMEM; out is
 * then a denial. Threads: any, on the same model and query too. */
EPI_API int epi_model_decide(epi_model *model, const epi_query *query,
                             epi_decision *out);

/* The rest reads a decision; texts live until it is filled again or freed. */

/* EPI_DIRECT ... EPI_DENIED, and the same as a word; "no verdict" for another
 * number. */
EPI_API int epi_decision_verdict(const epi_decision *decision);
EPI_API const char *epi_verdict_name(int verdict);

/* 1 if the flow may exist (direct or bridged), else 0. */
EPI_API int epi_decision_allowed(const epi_decision *decision);

/* The nodes, or "unknown". */
EPI_API const char *epi_decision_from(const epi_decision *decision);
EPI_API const char *epi_decision_to(const epi_decision *decision);

/* The application that the flow is part of, or "". */
EPI_API const char *epi_decision_application(const epi_decision *decision);

/* The id of the allow or deny rule that decided, or "default". */
EPI_API const char *epi_decision_rule(const epi_decision *decision);

/* Why, for a person: the rule's reason; for what is unbridgeable the missing
 * attributes, for what is unplaceable the constraint. Never NULL. */
EPI_API const char *epi_decision_reason(const epi_decision *decision);

/* The attributes needed, present and missing. */
#define EPI_NEED    1
#define EPI_HAVE    2
#define EPI_MISSING 3
EPI_API size_t epi_decision_attribute_count(const epi_decision *decision,
                                            int which);
EPI_API const char *epi_decision_attribute(const epi_decision *decision,
                                           int which, size_t index);

/* The ids of the require rules that added to the need, in document order. */
EPI_API size_t epi_decision_require_count(const epi_decision *decision);
EPI_API const char *epi_decision_require(const epi_decision *decision,
                                         size_t index);

/* What must be put in between (plan.h); it lives as long as the decision's
 * content. Never NULL: without functions and proxies it has no hops. */
EPI_API const epi_plan *epi_decision_plan(const epi_decision *decision);

/* The model that decided, or NULL for a new decision. */
EPI_API const epi_model *epi_decision_model(const epi_decision *decision);

/* Write the decision as JSON, the same object everywhere (doc/model.md). Free
 * it with epi_free(). Returns 0 or EPI_ENOMEM. */
EPI_API int epi_decision_write(const epi_decision *decision, char **out);

/* ---- the EPI policy reasoner ---- */

/* Versions of its replies: {"verdict": "allow" or "deny", "verdict_reference":
 * TEXT, "reasons_for_denial": LIST or null}, and {"verdict": "Success"} or
 * {"verdict": {"Violated": LIST}}. */
#define EPI_REASONER_DELIBERATION 1
#define EPI_REASONER_VIOLATIONS   2

/* Turn the reasoner's reply about one flow into a rule, as JSON, that can be
 * put into `policy.rules` of a model document. Free it with epi_free().
 *
 * json is a reply of either version, at most 1 MiB; keys that are not named
 * above are passed over, so check a signature before. query is the flow that
 * the reasoner was asked about: its ends, by node or IP address, its port and
 * its facts become the criteria; its time plays no part, so drop the rule when
 * the verdict ends. id is the rule's; with NULL it is the verdict_reference.
 * The reasons are joined by "; ", cut at 2,047 bytes.
 *
 * The rule stands for itself wherever it is put: an allow hides every deny
 * behind it, and only the requires before it add to what the flow needs.
 * Returns 0, EPI_EPROTO (json is no such reply; the detail says where),
 * EPI_EINVAL (an end of the query is not set or is a host name, something in
 * it or the id is no name, or there is no id), EPI_ELIMIT or EPI_ENOMEM.
 * Threads: any, on the same query too. */
EPI_API int epi_reasoner_rule(const void *json, size_t len,
                              const epi_query *query, const char *id,
                              char **out);

/* Make a model in which the reasoner's reply about one flow counts: what
 * epi_reasoner_rule() makes of it stands before all rules if it denies, behind
 * all if it allows. So a reply closes what the model would allow, and opens
 * only what no rule of it decides.
 *
 * json, query and id are as there. Returns as epi_reasoner_rule(), or
 * EPI_EMODEL (a rule has the id already, or an end is a node that the model
 * does not have). Threads: any, on the same model and query too. */
EPI_API int epi_reasoner_apply(const epi_model *model, const void *json,
                               size_t len, const epi_query *query,
                               const char *id, epi_model **out);

/* Write a decision as a reply of the reasoner: allowed or not, and the reason
 * if not, as a list that is parted at "; ". Free it with epi_free().
 *
 * version is one of EPI_REASONER_*; reference is the verdict_reference, the
 * rule that decided if it is NULL; the second version has none.
 * Returns 0, EPI_EINVAL (no such version) or EPI_ENOMEM. */
EPI_API int epi_reasoner_reply(const epi_decision *decision, int version,
                               const char *reference, char **out);

#ifdef __cplusplus
}
#endif

#endif
