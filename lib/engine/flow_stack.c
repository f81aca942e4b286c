/* flow_stack.c: stack options of a request: what is done, and how it is
 * answered: each with what is in force, read back from the socket. */
#include "engine/flow.h"

#include "os/os.h"

static const int of_ip[] = {EPI_STACK_TOS, EPI_STACK_TTL,
                            EPI_STACK_NO_FRAGMENT};

enum { OF_IP = sizeof of_ip / sizeof *of_ip };

static int is_asked(const epi_request *request, int option) {
  return epi_request_stack(request, EPI_LEG_REMOTE, option) >= 0;
}

int epi__stack_apply(const epi_request *request, int leg, int fd) {
  int refused = 0;

  for (int i = 0; i < OF_IP; i++) {
    int value = epi_request_stack(request, leg, of_ip[i]);

    refused += value >= 0 && epi__sock_set_stack(fd, of_ip[i], value);
  }
  return refused;
}

int epi__stack_answer(epi_reply *out, const epi_request *request, int leg,
                      int fd) {
  int result = 0;

  for (int i = 0; i < OF_IP && !result; i++) {
    int value = epi_request_stack(request, leg, of_ip[i]) < 0
                    ? EPI_ENOENT
                    : epi__sock_stack(fd, of_ip[i]);

    result = value < 0 ? 0 : epi_reply_set_stack(out, leg, of_ip[i], value);
  }
  return result;
}

static int answer(epi_reply *out, const epi_request *request, int option,
                  int value) {
  return is_asked(request, option)
             ? epi_reply_set_stack(out, EPI_LEG_REMOTE, option, value)
             : 0;
}

static int yes_if(int condition) {
  return condition ? EPI_STACK_YES : EPI_STACK_NO;
}

/* This proxy has connected to the destination itself. */
static int answer_own(epi_reply *out, const epi_flow *flow) {
  int fd = flow->legs[EPI_BACKWARD].fd;
  int result = epi__stack_answer(out, flow->request, EPI_LEG_REMOTE, fd);

  if (!result && is_asked(flow->request, EPI_STACK_MULTIPATH)) {
    result = answer(out, flow->request, EPI_STACK_MULTIPATH,
                    yes_if(epi__sock_is_multipath(fd)));
  }
  return result ? result
                : answer(out, flow->request, EPI_STACK_TFO, (int)flow->in_syn);
}

static int carries_options(const epi__hop *hop) {
  return hop->version != EPI_SOCKS5 && hop->version != EPI_SOCKSX;
}

/* A proxy did that cannot be asked, of SOCKS 5 or socksx: what can be denied
 * is; which TOS and TTL it used nobody knows. */
static int deny_all(epi_reply *out, const epi_request *request) {
  static const int deniable[] = {EPI_STACK_HAPPY_EYEBALLS,
                                 EPI_STACK_NO_FRAGMENT, EPI_STACK_MULTIPATH};
  int result = answer(out, request, EPI_STACK_TFO, 0);
  for (size_t i = 0; i < sizeof deniable / sizeof *deniable && !result; i++) {
    result = answer(out, request, deniable[i], EPI_STACK_NO);
  }
  return result;
}

static const int remote[] = {
    EPI_STACK_TOS,         EPI_STACK_HAPPY_EYEBALLS,
    EPI_STACK_TTL,         EPI_STACK_NO_FRAGMENT,
    EPI_STACK_TFO,         EPI_STACK_MULTIPATH,
    EPI_STACK_BACKLOG,     EPI_STACK_UDP_ERROR,
    EPI_STACK_PORT_PARITY,
};

enum { REMOTE = sizeof remote / sizeof *remote };

/* A SOCKS 6 proxy did, and said what. */
static int pass_back(epi_reply *out, const epi_reply *reply) {
  int result = 0;

  for (int i = 0; i < REMOTE && !result; i++) {
    int value = epi_reply_stack(reply, EPI_LEG_REMOTE, remote[i]);

    result = value < 0
                 ? 0
                 : epi_reply_set_stack(out, EPI_LEG_REMOTE, remote[i], value);
  }
  return result;
}

int epi__stack_answer_by_hop(epi_reply *out, const epi_flow *flow) {
  const epi_reply *reply =
      flow->hop_session ? epi_session_result(flow->hop_session) : NULL;

  if (!reply) {
    return 0;
  }
  return carries_options(&flow->route->hops[flow->hop])
             ? pass_back(out, reply)
             : deny_all(out, flow->request);
}

static int answer_remote(epi_reply *out, const epi_flow *flow) {
  const epi__route *route = flow->route;
  int result = 0;

  if (route && route->hop_count) {
    return epi__stack_answer_by_hop(out, flow);
  }
  if (flow->dest.kind == EPI_ADDR_NAME) {
    result = answer(out, flow->request, EPI_STACK_HAPPY_EYEBALLS,
                    yes_if(flow->raced));
  }
  return !result && flow->legs[EPI_BACKWARD].fd >= 0 ? answer_own(out, flow)
                                                     : result;
}

int epi__stack_answer_connect(epi_reply *out, const epi_flow *flow) {
  int result;

  if (!flow->request || epi_request_command(flow->request) != EPI_CONNECT) {
    return 0;
  }
  result = epi__stack_answer(out, flow->request, EPI_LEG_CLIENT,
                             flow->legs[EPI_FORWARD].fd);
  return result ? result : answer_remote(out, flow);
}

int epi__stack_pass_on(epi_request *out, const epi__hop *to,
                       const epi_request *request) {
  int result = 0;

  for (int i = 0; i < REMOTE && !result && carries_options(to); i++) {
    int value = epi_request_stack(request, EPI_LEG_REMOTE, remote[i]);

    result = value < 0
                 ? 0
                 : epi_request_set_stack(out, EPI_LEG_REMOTE, remote[i], value);
  }
  return result;
}
