/* session.c: what all sessions share: taking bytes in any split, sending.
 *
 * A session holds at most one message of the peer, MESSAGE_MAX bytes, and that
 * only while it came in pieces; behind a SOCKS 6 request that an
 * authentication exchange follows, EPI_INITIAL_DATA_MAX bytes of initial data;
 * and what it has to send itself, which is less than 1 KiB beside a request or
 * reply of its caller. */
#include "socks/session_state.h"

#include "base/fail.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* The longest message is a SOCKS 6 request: head, name, options of draft-12. */
enum { MESSAGE_MAX = 8 + 256 + EPI_OPTIONS_MAX_12 };

/* Append to a queue that may hold a password: when it must move to a larger
 * block, the old one is wiped, which realloc would not do. */
static int append_secret(epi__queue *queue, const void *data, size_t len) {
  epi__queue larger = {.capacity = 512};
  const uint8_t *held;
  size_t count = epi__queue_peek(queue, &held);

  if (count + len <= queue->capacity) {
    return epi__queue_append(queue, data, len);
  }
  while (larger.capacity < count + len) {
    larger.capacity *= 2;
  }
  larger.block = epi__alloc(larger.capacity);
  if (!larger.block) {
    return EPI_ENOMEM;
  }
  if (count) {
    memcpy(larger.block, held, count);
  }
  memcpy(larger.block + count, data, len);
  larger.end = count + len;
  epi__queue_clear(queue, 1);
  *queue = larger;
  return 0;
}

void epi_session_free(epi_session *session) {
  if (!session) {
    return;
  }
  epi__queue_clear(&session->in, 1);
  epi__queue_clear(&session->out, 1);
  epi__queue_clear(&session->initial, 1);
  epi__request_clear(&session->request);
  epi__reply_clear(&session->result);
  epi__auth_reply_clear(&session->auth);
  epi__free(session->address);
  epi__free(session);
}

/* ---- feed ---- */

/* Have the step read from the bytes that are held and those that came. Returns
 * the bytes used of those that came, or an error. */
static ptrdiff_t take(epi_session *session, const uint8_t *data, size_t len) {
  const uint8_t *held;
  size_t count = epi__queue_peek(&session->in, &held);
  ptrdiff_t n;

  if (!count) {
    n = session->step(session, data, len);
    return n                                        ? n
           : append_secret(&session->in, data, len) ? EPI_ENOMEM
                                                    : (ptrdiff_t)len;
  }
  assert(count < MESSAGE_MAX);
  if (len > MESSAGE_MAX - count) {
    len = MESSAGE_MAX - count;
  }
  if (append_secret(&session->in, data, len)) {
    return EPI_ENOMEM;
  }
  epi__queue_peek(&session->in, &held);
  n = session->step(session, held, count + len);
  if (n > 0) {
    assert((size_t)n > count); /* what was held was not all of the message */
    epi__queue_clear(&session->in, 1);
    return n - (ptrdiff_t)count;
  }
  return n ? n : (ptrdiff_t)len;
}

ptrdiff_t epi_session_feed(epi_session *session, const void *buf, size_t len) {
  const uint8_t *data = buf;
  int replies = session->replies;
  size_t used = 0;

  while (session->next == EPI_NEXT_READ && used < len &&
         session->replies == replies) {
    ptrdiff_t n = take(session, data + used, len - used);

    if (n < 0) {
      if (session->next != EPI_NEXT_REFUSED) {
        session->next = EPI_NEXT_FAILED;
      }
      session->error = (int)n;
      epi__queue_clear(&session->in, 1);
      return n;
    }
    used += (size_t)n;
  }
  return session->error
             ? epi__fail(session->error, "the session has ended in a refusal "
                                         "or failure before")
             : (ptrdiff_t)used;
}

/* ---- send ---- */

ptrdiff_t epi_session_peek(const epi_session *session, const void **out) {
  const uint8_t *data;
  size_t len = epi__queue_peek(&session->out, &data);

  *out = data;
  return (ptrdiff_t)len;
}

int epi_session_ack(epi_session *session, size_t len) {
  const uint8_t *data;
  size_t held = epi__queue_peek(&session->out, &data);

  if (len > held) {
    return epi__fail(EPI_EINVAL, "%zu bytes acked, %zu are there", len, held);
  }
  if (len == held) {
    epi__queue_clear(&session->out, 1);
  } else {
    epi__queue_ack(&session->out, len);
  }
  return 0;
}

int epi__session_send(epi_session *session, const void *message, size_t len) {
  return append_secret(&session->out, message, len);
}

/* ---- state ---- */

void epi__session_read(epi_session *session, epi__step *step) {
  session->step = step;
  session->next = EPI_NEXT_READ;
}

int epi__session_refuse(epi_session *session, int error) {
  session->next = EPI_NEXT_REFUSED;
  session->error = error;
  return error;
}

int epi_session_next(const epi_session *session) {
  return session->next;
}

int epi_session_version(const epi_session *session) {
  return session->version;
}

int epi_session_may_send(const epi_session *session) {
  return session->next == EPI_NEXT_DONE ||
         (session->may_send && session->next == EPI_NEXT_READ);
}
