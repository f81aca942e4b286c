/* review.h: what people and their tools ask about a model before they trust
 * it: why a flow may or may not exist, and what a new model changes.
 *
 * Each answer is one text, for people or as JSON (doc/review.md). */
#ifndef EPI_REVIEW_H
#define EPI_REVIEW_H

#include "area.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The forms of an answer. */
#define EPI_FORM_TEXT 1 /* lines for people, "" if there is nothing to say */
#define EPI_FORM_JSON 2 /* one JSON value without white space around it */

/* Decide about one flow and tell why, rule by rule: which rules match and
 * which of their criteria do not, what a require adds, which rule decides,
 * what is missing, and which functions apply it at whose cost; or why none do.
 *
 * Whatever the verdict, the call succeeds. Free *out with epi_free().
 * Returns 0, EPI_EINVAL (from or to is not set, or there is no such form),
 * EPI_ENOENT (a node or an application that the query names is not in the
 * model) or EPI_ENOMEM. Threads: any, on the same model and query too. */
EPI_API int epi_model_explain(epi_model *model, const epi_query *query,
                              int form, char **out);

/* ---- what a new model changes ---- */

/* What epi_model_diff() compares at most: pairs of nodes if there are up to so
 * many nodes, or in larger models so many kinds of them; and so many flows of
 * applications. */
#define EPI_DIFF_NODES 1024
#define EPI_DIFF_FLOWS 1000000

/* Tell what a model changes against an older one: which flows open, which
 * close, which change their chain, and why.
 *
 * Compared are the flows of the applications of both, and the ordered pairs of
 * the nodes of both, without a port. In models that together have more than
 * EPI_DIFF_NODES nodes, pairs of nodes that both models treat alike are told as
 * one change, with their number. A flow whose change is that of the same
 * flow of an application is left out. Where one of the models lacks an
 * application, the flow is in the one that the model gives it. What cannot be
 * compared within the limits above is said to be left out. Behind the flows
 * stand the ports of proxies that open, close or lead elsewhere.
 * Free *out with epi_free(). In EPI_FORM_TEXT it is "" for models that
 * decide alike and have the same ports.
 * Returns how many flows and ports change, EPI_EINVAL (no such form) or
 * EPI_ENOMEM.
 * Threads: any, on the same models too. */
EPI_API ptrdiff_t epi_model_diff(epi_model *model, epi_model *old, int form,
                                 char **out);

/* The same for a list of flows: those that live, for example, which must be
 * judged again before a new model takes effect.
 *
 * old may be NULL: then every flow in the list counts as allowed before, and
 * those that the model refuses are told. In JSON each change has the index of
 * its flow, `flow`. A flow whose nodes or application are not in a model is
 * refused by that model. Ports are not compared.
 * Returns as epi_model_diff(), EPI_EINVAL also if from or to of a flow is not
 * set. Threads: any, on the same models and queries too. */
EPI_API ptrdiff_t epi_model_diff_flows(epi_model *model, epi_model *old,
                                       epi_query *const *flows, size_t count,
                                       int form, char **out);

/* ---- what must hold ---- */

/* Check what a team expects of a model: a document of expectations, version 1
 * (doc/review.md), such as that a flow is bridged, or never allowed.
 *
 * json is yours again when the call returns. problems may be NULL; else every
 * error of the document is added to it, a line each, with its path. Free *out
 * with epi_free(): in EPI_FORM_TEXT it has a line for each expectation that
 * does not hold.
 * Returns how many do not hold, or EPI_EMODEL (problems has the errors, the
 * error detail the first), EPI_ELIMIT (over EPI_MODEL_MAX), EPI_EINVAL (no
 * such form) or EPI_ENOMEM. Threads: any, on the same model too. */
EPI_API ptrdiff_t epi_model_assert(epi_model *model, epi_report *problems,
                                   const void *json, size_t len, int form,
                                   char **out);

/* ---- what looks like a mistake ---- */

/* Find what a model says in vain: rules that can never match, requires that
 * nothing meets, attributes that no node has, functions that nothing needs or
 * may use, nodes in no application or without an address, proxies that no plan
 * uses, ports that let nobody through (doc/review.md).
 *
 * The model is valid all the same. Free *out with epi_free(): in EPI_FORM_TEXT
 * it has a line for each finding, with its path as in epi_model_read().
 * Returns how many there are, EPI_EINVAL (no such form) or EPI_ENOMEM.
 * Threads: any, on the same model too. */
EPI_API ptrdiff_t epi_model_lint(const epi_model *model, int form, char **out);

#ifdef __cplusplus
}
#endif

#endif
