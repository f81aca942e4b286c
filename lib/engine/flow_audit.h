/* flow_audit.h: a line for each decision and each end, in a chained log. */
#ifndef EPI__FLOW_AUDIT_H
#define EPI__FLOW_AUDIT_H

#include "engine/flow.h"

typedef struct epi__audit_log epi__audit_log;

/* ---- audit_log.c: the file ---- */

/* Hand over a line, all but its last brace, to the log that there is. needed is
 * 1 for what may not happen without it. Returns 0, or an error with its detail
 * if the line is lost, or was needed and none can be written; but 0 where that
 * shall be ignored. */
int epi__audit_put(epi_engine *engine, epi__text *line, int needed);

/* Begin a line with time and event. */
void epi__audit_line(epi__text *out, const char *event);

/* How far the log goes, in the engine's log, for who keeps that elsewhere.
 * Without anyhow it says nothing. Returns 1 if there are lines after what was
 * said last. */
int epi__audit_say_head(epi_engine *engine, int anyhow);

/* ---- audit_heads.c: lines from time to time ---- */

/* Write a line that says how far the log goes. Returns as epi__audit_put(). */
int epi__audit_head(epi_engine *engine);

/* Have the first worker write one in time, if there is a log. */
void epi__audit_heads_begin(epi__worker *worker);
void epi__audit_heads_end(epi__worker *worker);

/* Another model is in force; NULL: none. */
void epi__audit_model(epi_engine *engine, const epi_model *model);

/* ---- audit_log.c, again ---- */

/* Say that the engine ends, and end the log, if there is one. */
void epi__audit_end(epi_engine *engine);

/* The engine starts: so does writing. Returns 0 or EPI_ESYS. */
int epi__audit_begin(epi_engine *engine);

/* The file of an audit log; NULL without one. */
const char *epi__audit_path(const epi__audit_log *log);

/* ---- flow_audit.c: what is said of flows ---- */

/* The flow may be. Returns 0, or an error: it may not, unaudited. */
int epi__audit_allowed(epi_flow *flow);

/* The same of datagrams of an association. */
int epi__audit_datagrams(const epi_flow *flow, const epi_addr *from,
                         const epi_addr *to, const epi_decision *decision);

/* They are refused. */
void epi__audit_datagrams_refused(const epi_flow *flow, const epi_addr *from,
                                  const epi_addr *to, const char *why);

/* It is refused, or has failed before anything was decided; one that was
 * allowed has ended. */
void epi__audit_refused(epi_flow *flow, const char *why);
void epi__audit_failed(epi_flow *flow, const char *why);

/* A host connected to a BIND, and may not; decision may be NULL. */
void epi__audit_host_refused(const epi_flow *flow, const epi_addr *host,
                             const epi_addr *to, const epi_decision *decision,
                             const char *why);

/* A connection was closed before it was a flow. */
void epi__audit_turned_away(epi_engine *engine, const epi_addr *from,
                            const char *why);

/* It has ended; why may be NULL. Of one that was not allowed, or has ended
 * before, nothing is said. */
void epi__audit_ended(epi_flow *flow, const char *why);

/* Many lines follow each other, and none shall be lost: wait for the disk if
 * too much of them waits, a second at most. */
void epi__audit_catch_up(epi_engine *engine);

#endif
