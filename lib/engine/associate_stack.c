/* associate_stack.c: stack options of an association. They are about its UDP
 * traffic (draft-11 section 8.1); to the client it may go by TCP as well. */
#include "engine/association.h"

#include "os/os.h"

/* Returns what is in force: EPI_STACK_*. */
static int keep_errors(epi__association *association, int fd, int kind) {
  association->errors =
      epi_request_stack(association->flow->request, EPI_LEG_REMOTE,
                        EPI_STACK_UDP_ERROR) == EPI_STACK_YES;
  epi__sock_keep_errors(fd, kind, association->errors);
  return association->errors ? EPI_STACK_YES : EPI_STACK_NO;
}

/* The listener's UDP port is everybody's: what can be chosen for each datagram
 * is, and that leaves fragmentation to the kernel. */
static int act_on_client(epi__association *association, epi_reply *reply) {
  epi_flow *flow = association->flow;
  int fd = flow->legs[EPI_FORWARD].fd;
  int result;

  epi__stack_apply(flow->request, EPI_LEG_CLIENT, fd);
  result = epi__stack_answer(reply, flow->request, EPI_LEG_CLIENT, fd);
  if (result) {
    return result;
  }
  association->way.tos = epi_reply_stack(reply, EPI_LEG_CLIENT, EPI_STACK_TOS);
  association->way.ttl = epi_reply_stack(reply, EPI_LEG_CLIENT, EPI_STACK_TTL);
  return (flow->listener->udp_port.port || flow->listener->dtls) &&
                 epi_reply_stack(reply, EPI_LEG_CLIENT,
                                 EPI_STACK_NO_FRAGMENT) >= 0
             ? epi_reply_set_stack(reply, EPI_LEG_CLIENT, EPI_STACK_NO_FRAGMENT,
                                   EPI_STACK_NO)
             : 0;
}

int epi__associate_stack(epi__association *association,
                         const epi__udp_socket *socket, int kind,
                         epi_reply *reply) {
  const epi_request *request = association->flow->request;
  int errors = keep_errors(association, socket->fd, kind);
  int result;

  epi__stack_apply(request, EPI_LEG_REMOTE, socket->fd);
  if (!reply) {
    return 0;
  }
  result = epi__stack_answer(reply, request, EPI_LEG_REMOTE, socket->fd);
  if (!result &&
      epi_request_stack(request, EPI_LEG_REMOTE, EPI_STACK_UDP_ERROR) >= 0) {
    result =
        epi_reply_set_stack(reply, EPI_LEG_REMOTE, EPI_STACK_UDP_ERROR, errors);
  }
  return result ? result : act_on_client(association, reply);
}
