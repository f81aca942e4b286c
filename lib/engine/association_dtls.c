/* association_dtls.c: datagrams of a client that come over DTLS. */
#include "base/bytes.h"
#include "base/memory.h"
#include "engine/association.h"
#include "engine/mailbox.h"

#include <string.h>

epi__association *epi__association_of(epi__worker *worker,
                                      const epi__listener *listener,
                                      const uint8_t *data, size_t len) {
  epi__reader in = epi__reader_over(data, len);
  epi__association *association;
  uint64_t id;

  epi__skip(&in, 4);
  id = (uint64_t)epi__read_u32(&in) << 32;
  id |= epi__read_u32(&in);
  association = in.missing ? NULL : epi__association_find(worker, id);
  return association && association->flow->listener == listener &&
                 epi_datagram_read(association->datagram, association->version,
                                   data, len) > 0 &&
                 epi_datagram_type(association->datagram) == EPI_UDP_DATAGRAM
             ? association
             : NULL;
}

void epi__association_take_dtls(epi__worker *worker, const epi__letter *head,
                                const uint8_t *data) {
  epi__association *association = epi__association_of(
      worker, worker->engine->listeners[head->door], data, head->len);
  epi__udp_origin origin = {.carrier = EPI__CARRIER_DTLS,
                            .client = head->client,
                            .fd = -1,
                            .worker = head->worker,
                            .number = head->number,
                            .door = head->door};

  if (association) {
    epi__association_take(association, &origin);
    epi__flow_watch(association->flow);
  }
}

void epi__association_tell_dtls(epi__association *association,
                                const uint8_t *head, size_t head_len,
                                const void *data, size_t len) {
  const epi__udp_origin *origin = &association->origin;
  epi__letter letter = {.outgoing = 1,
                        .worker = origin->worker,
                        .door = origin->door,
                        .client = origin->client,
                        .number = origin->number,
                        .len = head_len + len};
  uint8_t *message = epi__alloc(letter.len);

  if (!message) {
    return;
  }
  memcpy(message, head, head_len);
  if (len) {
    memcpy(message + head_len, data, len);
  }
  epi__mailbox_post(association->flow->worker, origin->worker, &letter,
                    message);
  epi__free(message);
}
