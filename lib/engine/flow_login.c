/* flow_login.c: a client logs in: at once, if its password need not be hashed,
 * or once a thread of the pool has done that; meanwhile the flow waits, with
 * its handshake's deadline. */
#include "engine/flow_login.h"

#include "base/net.h"
#include "engine/flow_audit.h"
#include "os/os.h"

#include <string.h>

static epi__guess_rule rule_of(const epi_engine *engine) {
  return (epi__guess_rule){
      .failures = engine->settings[EPI_ENGINE_LOGIN_FAILURES],
      .window_ms = engine->settings[EPI_ENGINE_LOGIN_WINDOW_MS],
      .pause_ms = engine->settings[EPI_ENGINE_LOGIN_PAUSE_MS],
  };
}

/* ---- too many failures ---- */

static int may_try(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi__addr_buf peer;
  int64_t refused;
  int may = epi__guess_may(&engine->guesses, flow->peer, epi__clock_steady(),
                           &refused);

  if (refused) {
    epi__log(engine, EPI_LOG_ERROR,
             "logins from %s are checked again: %lld were refused meanwhile",
             epi__addr_text(flow->peer, &peer), (long long)refused);
  }
  return may;
}

void epi__login_wrong(epi_engine *engine, const epi_addr *client) {
  epi__guess_rule rule = rule_of(engine);
  int64_t pause =
      epi__guess_wrong(&engine->guesses, client, epi__clock_steady(), &rule);
  epi__addr_buf text;

  if (pause) {
    epi__log(engine, EPI_LOG_ERROR,
             "logins from %s are refused for %lld s, as %lld failed within "
             "%lld s",
             epi__addr_text(client, &text), (long long)(pause + 999) / 1000,
             (long long)rule.failures,
             (long long)(rule.window_ms + 999) / 1000);
  }
}

/* ---- one login ---- */

static int64_t deadline_of(const epi_flow *flow) {
  int64_t limit = flow->worker->engine->settings[EPI_ENGINE_HANDSHAKE_MS];
  int64_t gone = epi__loop_now(flow->worker->loop) - flow->phase_at;

  return epi__clock_steady() + limit - gone;
}

static void say_unchecked(const epi_flow *flow, const char *why) {
  epi__addr_buf peer;

  epi__log(flow->worker->engine, EPI_LOG_ERROR,
           "a login from %s is refused unchecked: %s",
           epi__addr_text(flow->peer, &peer), why);
}

/* Give it to the pool. Returns EPI_EBUSY, or an error. */
static int have_hashed(epi_flow *flow, const epi__login_question *asked,
                       const uint8_t *rest, size_t len) {
  epi_engine *engine = flow->worker->engine;
  epi__login *login = epi__login_new(flow->listener->users, rest, len);
  int result;

  if (!login) {
    return EPI_ENOMEM;
  }
  login->asked = *asked;
  login->flow = flow;
  login->worker = flow->worker->number;
  login->client = *flow->peer;
  login->deadline = deadline_of(flow);
  epi__users_ref(login->users);
  result = epi__login_pool_ask(engine->logins, login);
  if (result) {
    epi__users_close(login->users);
    epi__login_free(login);
    return result;
  }
  flow->login = login;
  return EPI_EBUSY;
}

static int check(epi_flow *flow, const char *user, const char *password,
                 const uint8_t *rest, size_t len) {
  epi__login_question asked = {0};
  int result = epi__users_ask(flow->listener->users, user, password, &asked);

  if (result != EPI_EBUSY) {
    return result;
  }
  result = have_hashed(flow, &asked, rest, len);
  epi_wipe(&asked, sizeof asked);
  if (result != EPI_EBUSY) {
    say_unchecked(flow, epi_error_detail());
  }
  /* That too many wait is not what the client did wrong. */
  return result == EPI_ELIMIT ? EPI_ESYS : result;
}

int epi__login_check(epi_flow *flow, const uint8_t *rest, size_t len) {
  const epi_request *request = epi_session_request(flow->session);
  const char *user = request ? epi_request_user(request) : NULL;
  const char *password = request ? epi_request_password(request) : NULL;
  int result;

  if (!user || !flow->listener->users) {
    return 0;
  }
  if (!may_try(flow)) {
    return EPI_ELIMIT;
  }
  result = check(flow, user, password ? password : "", rest, len);
  if (!result) {
    epi__login_wrong(flow->worker->engine, flow->peer);
  }
  return result;
}

void epi__login_hush(epi_flow *flow) {
  epi__audit_failed(flow, "too many logins from there were wrong");
  atomic_fetch_add(&flow->worker->engine->counts[EPI_COUNT_FAILED], 1);
  epi__flow_linger(flow, NULL);
}

void epi__login_over(epi_flow *flow) {
  if (flow->login) {
    epi__login_pool_forget(flow->worker->engine->logins, flow->login);
    flow->login = NULL;
  }
}

/* ---- answers ---- */

static void answer(epi_flow *flow, const epi__login *login) {
  int right = login->right;

  flow->login = NULL;
  if (right == 1) { /* unless the file changed meanwhile */
    right = epi__users_believe(login->users, &login->asked);
  }
  if (right < 0 && right != EPI_ELIMIT) {
    say_unchecked(flow, epi_strerror(right));
  }
  epi__handshake_go_on(flow, right, login->rest, login->rest_len);
  epi__flow_watch(flow);
}

void epi__logins_answer(epi__worker *worker) {
  epi__login *login =
      epi__login_pool_take(worker->engine->logins, worker->number);

  while (login) {
    epi__login *next = login->next;

    if (login->flow) {
      answer(login->flow, login);
    }
    epi__users_close(login->users);
    epi__login_free(login);
    login = next;
  }
}

/* ---- users who are gone ---- */

static int is_gone(const epi_flow *flow) {
  const char *user = flow->listener->users && !flow->trusted
                         ? epi__flow_said(flow).user
                         : NULL;

  return user && !epi__users_have(flow->listener->users, user);
}

void epi__logins_recheck(epi__worker *worker) {
  int changes = atomic_load(&worker->engine->users.changes);
  epi_flow *next;

  if (worker->users == changes) {
    return;
  }
  worker->users = changes;
  for (epi_flow *flow = worker->flows; flow; flow = next) {
    next = flow->next; /* a cut flow moves to another list */
    if (is_gone(flow)) {
      epi__flow_end(flow, 1, "its user was taken out of the users file");
    }
  }
}
