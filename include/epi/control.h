/* control.h: what an operator sees of a running engine's flows, and ends.
 *
 * Flows belong to the engine's workers. A call here asks all of them, and each
 * answers between two of its own steps: it may be made from any thread, at any
 * time of the engine's life before epi_engine_free(), together with any other
 * call, but not from a callback of the engine, which runs in a worker. It waits
 * for EPI_CONTROL_MS at most. A worker that stops meanwhile has no flows any
 * more, and an engine that does not run has none. */
#ifndef EPI_CONTROL_H
#define EPI_CONTROL_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How long a call waits for workers, each of which may be busy, in a filter
 * above all. */
#define EPI_CONTROL_MS 5000

/* Flows that one call lists at most. */
#define EPI_CONTROL_FLOWS 1000

/* Bytes of a reason that is given for killing flows. */
#define EPI_REASON_MAX 200

/* Which flows are meant: those that meet all criteria, so without any all. */
typedef struct epi_match epi_match;

/* Criteria for epi_match_set(). The destination is what was asked for, and the
 * address that a name became. */
#define EPI_MATCH_FLOW        1 /* its number, as in the log */
#define EPI_MATCH_SOURCE      2 /* an IP address, or a range as 10.0.0.0/8 */
#define EPI_MATCH_DEST        3 /* the same, or a name */
#define EPI_MATCH_ADDRESS     4 /* one of both */
#define EPI_MATCH_RULE        5 /* that lets it live */
#define EPI_MATCH_USER        6 /* that logged in, or a proxy vouched for */
#define EPI_MATCH_APPLICATION 7 /* that it is judged as part of */

/* Make one without criteria. Returns 0 or EPI_ENOMEM. Threads: any. */
EPI_API int epi_match_new(epi_match **out);
EPI_API void epi_match_free(epi_match *match);

/* Set a criterion; NULL takes it back. The value is copied. Texts are compared
 * as they are, names of hosts without regard to case.
 *
 * Returns 0, EPI_EINVAL (no such criterion, or no such value: the detail says
 * what is wrong) or EPI_ENOMEM. */
EPI_API int epi_match_set(epi_match *match, int criterion, const char *value);

/* List flows that are open, as JSON, by their numbers: those that match, NULL
 * for all, from a number on, at most `most` of them, which is 1 to
 * EPI_CONTROL_FLOWS.
 *
 *     {"flows": [...], "matched": 3, "next": null, "missing": 0}
 *
 * `matched` counts those from that number on, also beyond `most`; `next` is the
 * number to go on from, or null; `missing` is how many workers did not answer
 * in time, so that their flows are not in the list. doc/admin.md says what is
 * known of a flow. Free *out with epi_free().
 *
 * Returns 0, EPI_EINVAL (most) or EPI_ENOMEM. */
EPI_API int epi_engine_flows(epi_engine *engine, const epi_match *match,
                             int64_t from, size_t most, char **out);

/* Explain one flow, as JSON: `flow`, as in the list; `decision`, which lets it
 * live, as the audit log has it, or null; `route`, the filters and hops that it
 * goes through; and `now`, what the model in force at its last judgement says
 * today, rule by rule, as epi_model_explain(), or null. Free *out with
 * epi_free().
 *
 * Returns 0, EPI_ENOENT (no such flow), EPI_ETIMEOUT (a worker did not answer)
 * or EPI_ENOMEM. */
EPI_API int epi_engine_explain(epi_engine *engine, int64_t flow, char **out);

/* Kill the flows that match: they end at once. A client that waits for a reply
 * still gets one, SOCKS reply 2 with the reason as EPI_META_REASON where its
 * version has metadata. Log and audit log have the reason behind "killed: ";
 * it is 1 to EPI_REASON_MAX bytes.
 *
 * Returns how many were killed; EPI_EINVAL (no match, or the reason);
 * EPI_ETIMEOUT: a worker did not answer in time, and kills those that it has
 * once it comes to it, or, if the detail says so, could not even be asked, and
 * others have done so; or EPI_ENOMEM. */
EPI_API ptrdiff_t epi_engine_kill(epi_engine *engine, const epi_match *match,
                                  const char *reason);

/* Say what a model would change if the engine were given it, as JSON, and
 * change nothing: its filters are made and let go, which shows whether it could
 * be given.
 *
 *     {"was": "...", "is": "...", "judged": 9, "later": 1, "cut": 2,
 *      "flows": [...], "ports": [...], "missing": 0}
 *
 * `was` (null for none) and `is` are the hashes of the models. `judged` flows
 * were judged by the new one, of which `cut` would be cut; `flows` are those,
 * by number, at most `most` of them, which is 1 to EPI_CONTROL_FLOWS: each has
 * also `why`, and `then`, the decision about it, or null. `later` have asked
 * for nothing yet, or carry datagrams, which are judged one by one. `ports` of
 * this proxy that it `opens`, `closes` or `changes` have `change`, `listen`,
 * `from` and `to`; whether they can be had is found out when they are bound.
 * Judging takes the workers as long as a change of the model. Free *out with
 * epi_free(). epi_model_diff() tells what the model changes besides.
 *
 * Returns 0, EPI_EINVAL (no model, or most), another error of
 * epi_engine_set_model() for filters that cannot be made or an engine that is a
 * function, or EPI_ENOMEM. */
EPI_API int epi_engine_plan(epi_engine *engine, epi_model *model, size_t most,
                            char **out);

/* The model that the engine judges by, NULL for none. Let go of it with
 * epi_model_free(). Does not wait. */
EPI_API epi_model *epi_engine_model(epi_engine *engine);

#ifdef __cplusplus
}
#endif

#endif
