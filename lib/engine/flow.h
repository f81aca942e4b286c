/* flow.h: one connection on its way.
 *
 *     handshake -> judge -> route -> dial -> hops -> relay -> linger
 *                  await, and again
 *
 * or, for a BIND, the way that bind.h shows. A flow has two legs, the client's
 * and the server's, and two lanes, forward and backward: lane d takes from leg
 * d and gives to the other leg. Each step has a file of its own; a flow that
 * ends stays in memory until the loop waits again, so that whoever ended it may
 * still look at its phase. */
#ifndef EPI__FLOW_H
#define EPI__FLOW_H

#include "area/authenticated.h"
#include "base/names.h"
#include "engine/lane.h"
#include "engine/leg.h"
#include "engine/provisioner.h"
#include "engine/route.h"
#include "engine/worker.h"
#include "epi/stack.h"
#include "filter/filter_chain.h"

enum {
  EPI__META_OWN_LAST = 2999, /* from EPI_META_SOURCE on */
};

enum {
  EPI__HANDSHAKE = 1, /* the client says what it wants */
  EPI__AWAIT,         /* instances of functions are being started */
  EPI__DIAL,          /* resolving and connecting */
  EPI__SECURE,        /* a TLS handshake with a hop, or the destination */
  EPI__HOPS,          /* handshakes with the proxies on the way */
  EPI__WAIT,          /* a BIND waits for a host to connect */
  EPI__RELAY,
  EPI__ASSOCIATED, /* it carries datagrams: association.h */
  EPI__LINGER,     /* a last message is out; the client shall get it */
  EPI__ENDED,
};

typedef struct epi__dial epi__dial;
typedef struct epi__awaited epi__awaited;
typedef struct epi__pace epi__pace;

/* What somebody who is known says about a flow, NULL or a text for each. */
typedef struct epi__said {
  const char *user, *application, *purpose, *dataset;
} epi__said;

struct epi_flow {
  epi_flow *next, *previous;
  epi_flow *next_done; /* of those with a lane that is done since this round */
  epi__worker *worker;
  epi__listener *listener;
  int64_t number;
  int phase;
  epi__leg legs[2];   /* by the lane that takes from them */
  epi__lane lanes[2]; /* by EPI_FORWARD and EPI_BACKWARD */
  epi__timer timer;
  int64_t opened_at, phase_at, moved_at;

  epi_addr *peer; /* who connected; NULL once settled */
  epi_addr source, dest;
  int spoke;                  /* the client has sent something */
  epi_session *session;       /* the client's handshake */
  size_t held;                /* its reply waits: held_reply.h; or 0 */
  epi_request *own_request;   /* of flows without a handshake */
  const epi_request *request; /* what is asked, of either; NULL once settled */
  epi__said *said;            /* what is left of it then; NULL: nothing */
  int is_dns;                 /* it asked for this proxy's name server */
  int trusted;                /* its metadata is authenticated */
  unsigned authenticated;     /* by what its source is, a set of EPI__AUTH_* */
  struct epi__login *login;   /* it is being checked; or NULL */
  const char *user;           /* or "" */
  char *subject;              /* who the client's certificate is of, or NULL */
  int64_t member;             /* the session that it holds, or 0 */

  epi__policy *policy;
  epi_decision *decision; /* NULL without a model */
  int audited;            /* the audit log has it as allowed, and not ended */
  epi__route *route;
  epi__quota_entry *counted[EPI__QUOTAS]; /* NULL: not in that */
  int64_t buffered;                       /* bytes that it is counted with */
  epi__pace *pace;                        /* NULL: it may carry what it likes */
  epi__names crowded;    /* functions that were passed over for want of room */
  epi__awaited *awaited; /* NULL: it has not waited */
  epi__filter_chain *chain; /* NULL: no filters */
  char *why;                /* it ended, for its filters; NULL: not known */
  char *cut;                /* why its connections are closed, and its end is
                               yet to be told; or NULL */
  epi__timer filters_timer;
  int64_t filters_at;     /* when it was started for; -1: it was not */
  epi_request *added;     /* metadata that filters set, or NULL */
  struct epi__bind *bind; /* NULL: not a BIND */

  epi__association *association; /* NULL: it carries a stream */

  /* dialling */
  epi__node_lookup *lookup;
  epi__dial *dial; /* NULL: not begun, or connected */
  int raced;       /* by happy eyeballs */
  size_t in_syn;   /* the client's bytes that went along in the SYN */
  int warm;        /* it was kept warm, and nothing has come from it yet */
  int afresh;      /* such a one was dead: another is not taken */

  /* handshakes on the way */
  size_t hop;          /* whose handshake this is */
  int heard;           /* that hop has said something */
  unsigned handshakes; /* begun so far */
  epi_request *hop_request;
  epi_session *hop_session;
};

/* ---- flow.c ---- */

/* Begin with an accepted connection, which the flow closes. */
void epi__flow_new(epi__worker *worker, epi__listener *listener, int fd,
                   const epi_addr *peer);

/* Go to the next phase, with the time that it may take. */
void epi__flow_enter(epi_flow *flow, int phase);

/* End at once. reset lets the peers see that something went wrong. why is for
 * the log, NULL for a flow that never was one. */
void epi__flow_end(epi_flow *flow, int reset, const char *why);

/* Refuse: send the reply code if the client waits for one, log why, end. */
void epi__flow_refuse(epi_flow *flow, int code, const char *why);

/* Refuse for an error, its detail says why. */
void epi__flow_refuse_error(epi_flow *flow, int error);

/* Free the flows of a worker that have ended. */
void epi__flow_sweep(epi__worker *worker);

/* ---- flow_facts.c ---- */

/* The direction, from source to destination or back, that a lane has; or the
 * lane of a direction. They differ in a BIND, whose source connects to it. */
int epi__flow_way(const epi_flow *flow, int lane);

/* Is it one of libepi's own keys of metadata, believed only if signed? */
int epi__is_own_key(int key);

/* What is known of it, to be judged by. The texts are the flow's. */
epi__said epi__flow_said(const epi_flow *flow);

/* The application that it is judged as part of, or that it names; or NULL. */
const char *epi__flow_application(const epi_flow *flow);

/* Where it is connected to, if that is its destination and no hop. Returns 1,
 * or 0. */
int epi__flow_dialled(const epi_flow *flow, epi_addr *out);

/* It relays: let go of what only its beginning needed, unless a filter may
 * still ask. */
void epi__flow_settle(epi_flow *flow);

/* ---- flow_filters.c ---- */

/* Open the filters of the flow's route. Returns as epi__filter_chain_new(). */
int epi__filters_open(epi_flow *flow);

/* Have the filters called when their time comes; without any it does nothing.
 */
void epi__filters_watch(epi_flow *flow);

/* ---- flow_watch.c ---- */

/* Watch the sockets for what the flow can do next. */
void epi__flow_watch(epi_flow *flow);

/* Send the last message; once it is out, wait for the client to close. */
void epi__linger_flush(epi_flow *flow);

/* ---- handshake.c: with the client ---- */

/* Begin: make the session, or find out at once what is wanted. */
void epi__handshake_begin(epi_flow *flow);

/* The client is readable. */
void epi__handshake_read(epi_flow *flow);

/* The client's login was checked, as epi__login_check() says; rest is what the
 * client sent behind it. */
void epi__handshake_go_on(epi_flow *flow, int right, const uint8_t *rest,
                          size_t len);

/* Tell the client that it is connected: data may flow back. bound is the
 * address that the proxy, or the last one on the way, bound. */
void epi__handshake_succeed(epi_flow *flow, const epi_addr *bound);

/* The client's handshake cannot go on, or is all there was to do (why NULL):
 * let it have the last message. */
void epi__flow_linger(epi_flow *flow, const char *why);

/* ---- sessions.c ---- */

/* Let the client's handshake begin and join sessions, if there are any. Returns
 * 0 or EPI_ENOMEM. */
int epi__sessions_offer(epi_flow *flow);

/* Hold the session that the request is part of, while the flow lives. */
void epi__sessions_enter(epi_flow *flow);
void epi__sessions_leave(epi_flow *flow);

/* ---- flow_judge.c ---- */

/* Put a refusal into words. */
void epi__flow_say_refused(const epi_decision *decision, char *why,
                           size_t size);

/* The flow may be and has a route: open its filters and log it. Returns 0, or
 * an error and it was refused. */
int epi__flow_admit(epi_flow *flow);

/* Find out whom to believe, and judge. Refuses or goes on to the route. */
void epi__flow_judge(epi_flow *flow);

/* Judge anew a flow that waits, and go on if it need not wait any longer. */
void epi__flow_judge_again(epi_flow *flow);

/* ---- flow_await.c: instances that are being started ---- */

/* A function of which instances are started has none for the flow: wait for
 * one. Returns EPI_EBUSY: it waits; EPI_ELIMIT or EPI_EFILTER: it does so in
 * vain; EPI_EDENIED: for too many; or EPI_ENOMEM. */
int epi__flow_await(epi_flow *flow, const char *function);

/* Find out anew what to wait for. */
void epi__await_anew(epi_flow *flow);

/* Wait, until the time is over or workers are woken up: for a way, or, with the
 * way that it has, for an instance in the place of hop - 1. */
void epi__await_begin(epi_flow *flow, size_t hop);

/* It does not wait any more. */
void epi__await_over(epi_flow *flow);
void epi__await_free(epi_flow *flow);

/* Look again what became of them, for all flows of a worker that wait. */
void epi__await_retry(epi__worker *worker);

/* It waited for too long. */
void epi__await_timeout(epi_flow *flow);

/* The client is readable meanwhile. */
void epi__await_read_client(epi_flow *flow);

/* Make a question about a way from here to there, with what is known of the
 * flow; and ask a model. Return 0 or an error. */
int epi__flow_query(const epi_flow *flow, const epi_addr *from,
                    const epi_addr *to, epi_query **out);
int epi__flow_ask_model(const epi_flow *flow, epi_model *model,
                        const epi_addr *from, const epi_addr *to,
                        epi_decision *out);

/* Find out whom to believe. Returns 1, or 0 and it was refused. */
int epi__flow_believe(epi_flow *flow);

enum {
  EPI__LATER = 1, /* a flow is not judged by a new policy at once */
};

/* May the flow live on as it is under a new policy, NULL for none, which is in
 * force or, with planned 1, is not? Returns 0, EPI__LATER, or an error and why
 * not. *out is the decision about it, to be freed, or NULL. */
int epi__flow_check(const epi_flow *flow, epi__policy *policy, int planned,
                    epi_decision **out, char *why, size_t size);

/* Judge again by a new policy; NULL: by none. Returns 1 if the flow may live
 * on as it is; else 0, and it was cut. */
int epi__flow_rejudge(epi_flow *flow, epi__policy *policy);

/* ---- dial.c ---- */

/* Connect to the first hop or to the destination. */
void epi__dial_begin(epi_flow *flow);

/* Nothing has been sent yet: leave the first hop out if it may fail open.
 * Returns 1 if the flow goes on without it. */
int epi__dial_leave_out(epi_flow *flow, const char *why);

/* Give up connecting, and the lookup of a name. */
void epi__dial_stop(epi_flow *flow);
void epi__dial_free(epi_flow *flow);

/* Looking the name up took too long. */
void epi__dial_timeout(epi_flow *flow);

/* ---- dial_check.c ---- */

/* May an address be what was asked for, by a decision about that? A name is
 * judged as its node: an address of another node is not meant, nor a private
 * one of none, nor one that is judged otherwise. Returns 0, or EPI_EDENIED, and
 * the detail goes on from "which is". */
int epi__dial_check(const epi_flow *flow, const epi_decision *decision,
                    const epi_addr *asked, const epi_addr *addr);

/* The same of what the flow is connected to, or is connecting to: 1 or 0. */
int epi__dial_may_go_on(const epi_flow *flow, const epi_decision *decision);

/* ---- flow_rejudge.c ---- */

/* Do two decisions have the same functions by the same means? */
int epi__flow_same_plan(const epi_decision *first, const epi_decision *second);

/* ---- failover.c ---- */

/* The instance at a hop failed, why in a few words: let another take over, if
 * there is one and nothing was sent. Returns 1, and the flow connects anew; or
 * 0. */
int epi__fail_over(epi_flow *flow, size_t hop, const char *why);

/* One that waits may go on, or has waited for too long. */
void epi__fail_over_again(epi_flow *flow, size_t hop);

/* The same where the current hop's reply, with this code, may say that one
 * behind it failed. Returns 1, and the flow connects anew or was refused; or 0:
 * the reply stands. */
int epi__fail_over_behind(epi_flow *flow, int code, const char *why);

/* Refuse for what is wrong at a hop; if several instances failed, for each. */
void epi__refuse_failed(epi_flow *flow, size_t hop, int code, const char *why);

/* ---- flow_stack.c: what is asked of IP and TCP ---- */

/* Do what a request asks of a socket, EPI_LEG_CLIENT's or EPI_LEG_REMOTE's, of
 * TCP or UDP: TOS, TTL, fragmentation. Returns how many of these it refused. */
int epi__stack_apply(const epi_request *request, int leg, int fd);

/* Answer those with what is in force. Returns 0 or an error. */
int epi__stack_answer(epi_reply *out, const epi_request *request, int leg,
                      int fd);

/* Answer those of the remote leg as the last proxy on the way did. Returns 0 or
 * an error. */
int epi__stack_answer_by_hop(epi_reply *out, const epi_flow *flow);

/* Answer all options of a flow's CONNECT. Returns 0 or an error. */
int epi__stack_answer_connect(epi_reply *out, const epi_flow *flow);

/* Pass on to a hop, if it understands that, what the client asks of the
 * destination's connection. Returns 0 or an error. */
int epi__stack_pass_on(epi_request *out, const epi__hop *to,
                       const epi_request *request);

/* ---- hops.c: with the proxies on the way ---- */

/* The first hop, or the destination, is connected. */
void epi__hops_begin(epi_flow *flow);

/* The TLS handshake with the current hop is done. */
void epi__hops_go_on(epi_flow *flow);

/* The server leg is readable during the handshakes. */
void epi__hops_read(epi_flow *flow);

/* The current hop is lost, during its handshake. */
void epi__hops_lost(epi_flow *flow, const char *what);

/* It took too long; and how long it may take: less if it has not said a thing,
 * and others could take over. */
void epi__hops_timeout(epi_flow *flow);
int64_t epi__hops_limit(const epi_flow *flow);

/* ---- secure.c: TLS with them ---- */

/* Speak TLS to the current hop from here on, or behind the last one to the
 * destination; the flow goes on once it is open. */
void epi__secure_begin(epi_flow *flow);

/* The server leg is readable meanwhile; and it took too long. */
void epi__secure_read(epi_flow *flow);
void epi__secure_timeout(epi_flow *flow);

/* ---- hops.c, again ---- */

/* Tell the client what the last hop's reply said in metadata; libepi's own keys
 * are each proxy's to say. Returns 0 or EPI_ENOMEM. */
int epi__hops_answer(epi_reply *out, const epi_flow *flow);

#endif
