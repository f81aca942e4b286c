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
  return association &&
                 epi__udp_same_port(association->flow->listener, listener) &&
                 epi_datagram_read(association->datagram, association->version,
                                   data, len) > 0 &&
                 epi_datagram_type(association->datagram) == EPI_UDP_DATAGRAM
             ? association
             : NULL;
}

void epi__association_take_dtls(epi__worker *worker, const epi__letter *head,
                                const uint8_t *data) {
  epi__door *door = epi__door_find(worker, head->listener);
  epi__association *association =
      door ? epi__association_of(worker, door->listener, data, head->len)
           : NULL;
  epi__udp_origin origin = {.carrier = EPI__CARRIER_DTLS,
                            .client = head->client,
                            .fd = -1,
                            .worker = head->worker,
                            .number = head->number,
                            .listener = head->listener};

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
                        .listener = origin->listener,
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
