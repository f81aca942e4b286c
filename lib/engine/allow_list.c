/* allow_list.c: from where clients may connect to a listener at all. */
#include "engine/allow_list.h"

#include "base/memory.h"
#include "engine/worker.h"
#include "os/os.h"

#include <string.h>

enum {
  RANGES_MAX = 256,
  SAY_MS = 10000,
};

struct epi__allow {
  atomic_llong refused;   /* since the log said so last */
  atomic_llong say_again; /* not before then; 0: at once */
  size_t count, capacity;
  epi__range *ranges;
};

static int add_range(epi__allow *allow, const char *text, size_t len) {
  char one[EPI_ADDR_TEXT_MAX];
  epi__range range, *moved;

  if (!len || len >= sizeof one) {
    return epi__fail(EPI_EINVAL, "allow: ranges of addresses are separated by "
                                 "commas");
  }
  memcpy(one, text, len);
  one[len] = '\0';
  if (epi__range_parse(&range, one)) {
    return epi__fail(EPI_EINVAL, "allow: %s is no address, nor a range of them",
                     one);
  }
  if (allow->count == RANGES_MAX) {
    return epi__fail(EPI_EINVAL, "allow: more than %d ranges", RANGES_MAX);
  }
  moved = epi__grow(allow->ranges, allow->count, &allow->capacity,
                    sizeof *allow->ranges);
  if (!moved) {
    return EPI_ENOMEM;
  }
  allow->ranges = moved;
  allow->ranges[allow->count++] = range;
  return 0;
}

int epi__allow_read(epi__allow **out, const char *text) {
  epi__allow *allow = epi__alloc(sizeof *allow);
  int result = allow ? 0 : EPI_ENOMEM;

  while (!result) {
    size_t len = strcspn(text, ",");

    result = add_range(allow, text, len);
    if (!text[len]) {
      break;
    }
    text += len + 1;
  }
  if (result) {
    epi__allow_free(allow);
    return result;
  }
  *out = allow;
  return 0;
}

void epi__allow_free(epi__allow *allow) {
  if (allow) {
    epi__free(allow->ranges);
    epi__free(allow);
  }
}

int epi__allow_has(const epi__allow *allow, const epi_addr *client) {
  if (!allow) {
    return 1;
  }
  for (size_t i = 0; i < allow->count; i++) {
    if (epi__range_has(&allow->ranges[i], client)) {
      return 1;
    }
  }
  return 0;
}

void epi__allow_refused(epi_engine *engine, epi__listener *listener,
                        const epi_addr *client) {
  epi__allow *allow = listener->allow;
  long long now = epi__clock_steady();
  long long again = atomic_load(&allow->say_again);
  epi__addr_buf text;

  atomic_fetch_add(&allow->refused, 1);
  if (now >= again &&
      atomic_compare_exchange_strong(&allow->say_again, &again, now + SAY_MS)) {
    epi__log(engine, EPI_LOG_ERROR,
             "%s: closed at once, as allow= does not have the client: %lld so "
             "far since this was said, the last from %s",
             listener->name, atomic_exchange(&allow->refused, 0),
             epi__addr_text(client, &text));
  }
}
