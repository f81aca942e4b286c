/* associate_stack.c: stack options of an association. They are about its UDP
 * traffic (draft-11 section 8.1); to the client it may go by TCP as well. */
#include "engine/association.h"

#include "base/fail.h"

static const int of_both[] = {EPI_STACK_TOS, EPI_STACK_TTL,
                              EPI_STACK_NO_FRAGMENT};

static int say(epi_reply *reply, int leg, int option, int value) {
  return reply && value >= 0 ? epi_reply_set_stack(reply, leg, option, value)
                             : 0;
}

static int act_on_remote(epi__association *association,
                         const epi__udp_socket *socket, int kind, int option,
                         epi_reply *reply) {
  int value =
      epi_request_stack(association->flow->request, EPI_LEG_REMOTE, option);

  if (value < 0) {
    return 0;
  }
  value = epi__udp_stack(socket->fd, kind, option, value);
  if (option == EPI_STACK_UDP_ERROR) {
    association->errors = value == EPI_STACK_YES;
  }
  return say(reply, EPI_LEG_REMOTE, option, value);
}

/* The listener's UDP port is everybody's: what can be chosen for each datagram
 * is, and that leaves fragmentation to the kernel. */
static int act_on_client(epi__association *association, int option,
                         epi_reply *reply) {
  epi_flow *flow = association->flow;
  int value = epi_request_stack(flow->request, EPI_LEG_CLIENT, option);

  if (value < 0) {
    return 0;
  }
  value = epi__udp_stack(flow->legs[EPI_FORWARD].fd, flow->peer.kind, option,
                         value);
  if (option == EPI_STACK_TOS) {
    association->way.tos = value;
  } else if (option == EPI_STACK_TTL) {
    association->way.ttl = value;
  } else if (flow->listener->udp_count) {
    value = EPI_STACK_NO;
  }
  return say(reply, EPI_LEG_CLIENT, option, value);
}

int epi__associate_stack(epi__association *association,
                         const epi__udp_socket *socket, int kind,
                         epi_reply *reply) {
  size_t count = sizeof of_both / sizeof *of_both;
  int result =
      act_on_remote(association, socket, kind, EPI_STACK_UDP_ERROR, reply);

  for (size_t i = 0; i < count && !result; i++) {
    result = act_on_remote(association, socket, kind, of_both[i], reply);
    if (!result && reply) {
      result = act_on_client(association, of_both[i], reply);
    }
  }
  return result;
}
