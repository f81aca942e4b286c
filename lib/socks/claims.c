/* claims.c: signed metadata between proxies. */
#include "socks/claims.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is a key in what an HMAC is over: of the claims, or of a ticket, which
 * is made before the claims are signed? */
static int is_signed_key(int key, int ticket) {
  return key != EPI_META_AUTHENTICATOR && key != EPI_META_CHAIN_INDEX &&
         key != EPI_META_PASSED && key != EPI_META_PROOF &&
         !(ticket && key == EPI_META_TICKETS);
}

static int compare_keys(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

/* What the HMAC is over, in an order that does not depend on the wire's. */
int epi__claims_mac(uint8_t out[EPI__MAC_SIZE], const epi_request *request,
                    const epi__crypto *crypto,
                    const uint8_t key[EPI__CLAIMS_KEY], int ticket) {
  const epi_addr *dest = epi_request_dest(request);
  int keys[EPI_METADATA_MAX];
  char text[EPI_ADDR_TEXT_MAX] = "";
  epi__text content = {0};
  size_t count = 0;
  int result = EPI_ENOMEM;

  for (int next; count < EPI_METADATA_MAX &&
                 (next = epi_request_metadata_key(request, count)) >= 0;) {
    keys[count++] = next;
  }
  qsort(keys, count, sizeof *keys, compare_keys);
  if (dest->kind != EPI_ADDR_NONE) {
    epi_addr_format(dest, 1, text, sizeof text);
  }
  epi__text_printf(&content, "epi %s 1\n%d %s\n", ticket ? "ticket" : "claims",
                   epi_request_command(request), text);
  for (size_t i = 0; i < count; i++) {
    const char *value = epi_request_metadata(request, keys[i]);

    if (is_signed_key(keys[i], ticket)) {
      epi__text_printf(&content, "%d %zu ", keys[i], strlen(value));
      epi__text_add(&content, value, strlen(value));
    }
  }
  if (!content.failed) {
    result = crypto->mac(out, key, EPI__CLAIMS_KEY, content.block, content.len);
  }
  epi__text_clear(&content);
  return result;
}

int epi__claims_key(uint8_t out[EPI__CLAIMS_KEY], const epi__crypto *crypto,
                    const void *chain_key, size_t len) {
  return crypto->derive(out, EPI__CLAIMS_KEY, chain_key, len, "", 0,
                        "epi claims 1");
}

int epi__claims_issue(epi_request *request, const epi__crypto *crypto,
                      int64_t now) {
  uint8_t nonce[EPI__CLAIMS_NONCE];
  char digits[2 * EPI__CLAIMS_NONCE + 1];
  char issued[96];
  int result = crypto->random(nonce, sizeof nonce);

  if (result) {
    return result;
  }
  epi__hex(digits, nonce, sizeof nonce);
  snprintf(issued, sizeof issued, "%" PRId64 " %s", now, digits);
  return epi_request_set_metadata(request, EPI_META_ISSUED, issued);
}

int epi__claims_sign(epi_request *request, const epi__crypto *crypto,
                     const uint8_t key[EPI__CLAIMS_KEY]) {
  uint8_t mac[EPI__MAC_SIZE];
  char digits[2 * EPI__MAC_SIZE + 1];
  int result = epi__claims_mac(mac, request, crypto, key, 0);

  if (result) {
    return result;
  }
  epi__hex(digits, mac, sizeof mac);
  return epi_request_set_metadata(request, EPI_META_AUTHENTICATOR, digits);
}

static int read_issued(const char *text, int64_t *when, uint8_t *nonce) {
  char *end;

  if (text[0] < '0' || text[0] > '9' || strlen(text) > 60) {
    return EPI_EAUTH;
  }
  *when = strtoll(text, &end, 10);
  return *end == ' ' && !epi__unhex(nonce, EPI__CLAIMS_NONCE, end + 1)
             ? 0
             : EPI_EAUTH;
}

static int is_empty(const uint8_t *slot) {
  static const uint8_t empty[EPI__CLAIMS_NONCE];

  return !memcmp(slot, empty, sizeof empty);
}

/* The nonces are random: their first bytes are their hash. The place of a
 * nonce, or of the empty slot where it would be. */
static uint8_t *place_of(const epi__nonces *set, const uint8_t *nonce) {
  size_t at = ((size_t)nonce[0] << 16 | (size_t)nonce[1] << 8 | nonce[2]) &
              (set->size - 1);

  while (!is_empty(set->slots[at]) &&
         memcmp(set->slots[at], nonce, EPI__CLAIMS_NONCE)) {
    at = (at + 1) & (set->size - 1);
  }
  return set->slots[at];
}

static int has_nonce(const epi__nonces *set, const uint8_t *nonce) {
  return set->size && !is_empty(place_of(set, nonce));
}

static int add_nonce(epi__nonces *set, const uint8_t *nonce) {
  if (set->count >= set->size / 2) {
    epi__nonces wider = {.size = set->size ? set->size * 2 : 1024,
                         .count = set->count};

    if (wider.size > EPI__CLAIMS_SEEN) {
      return epi__fail(EPI_ELIMIT, "too many authenticated requests at once");
    }
    wider.slots = epi__alloc_array(wider.size, sizeof *wider.slots);
    if (!wider.slots) {
      return EPI_ENOMEM;
    }
    for (size_t i = 0; i < set->size; i++) {
      if (!is_empty(set->slots[i])) {
        memcpy(place_of(&wider, set->slots[i]), set->slots[i],
               EPI__CLAIMS_NONCE);
      }
    }
    epi__free(set->slots);
    *set = wider;
  }
  memcpy(place_of(set, nonce), nonce, EPI__CLAIMS_NONCE);
  set->count++;
  return 0;
}

/* A claim is believed from WINDOW seconds before to WINDOW seconds after its
 * time; a nonce is remembered for at least twice that, in two sets. */
static int remember(epi__claims_seen *seen, const uint8_t *nonce, int64_t when,
                    int64_t now) {
  int result;

  if (now < seen->since) { /* the clock was set back */
    seen->since = now;
  }
  if (now - seen->since > 2 * EPI__CLAIMS_WINDOW) {
    epi__free(seen->older.slots);
    seen->older = seen->newer;
    memset(&seen->newer, 0, sizeof seen->newer);
    seen->since = now;
    seen->forgotten = seen->older_last;
    seen->older_last = seen->last;
  }
  if (has_nonce(&seen->newer, nonce) || has_nonce(&seen->older, nonce)) {
    return epi__fail(EPI_EAUTH, "the metadata was used before");
  }
  result = add_nonce(&seen->newer, nonce);
  if (!result && when > seen->last) {
    seen->last = when;
  }
  return result;
}

static int malformed(void) {
  return epi__fail(EPI_EAUTH, "the metadata's authenticator is malformed");
}

int epi__claims_spend(const epi_request *request, int64_t now,
                      epi__claims_seen *seen) {
  const char *issued = epi_request_metadata(request, EPI_META_ISSUED);
  uint8_t nonce[EPI__CLAIMS_NONCE];
  int64_t when;

  if (!issued || read_issued(issued, &when, nonce)) {
    return malformed();
  }
  if (when < now - EPI__CLAIMS_WINDOW || when > now + EPI__CLAIMS_WINDOW) {
    return epi__fail(EPI_EAUTH,
                     "the metadata is %" PRId64 " s old: do the clocks agree?",
                     now - when);
  }
  if (when < seen->from) {
    return epi__fail(EPI_EAUTH, "the metadata is from before this proxy's "
                                "start: it may have been used then");
  }
  if (when <= seen->forgotten) { /* only if the clock was set back since */
    return epi__fail(EPI_EAUTH, "the metadata is of a time that was before: it "
                                "may have been used then");
  }
  return remember(seen, nonce, when, now);
}

int epi__claims_check(const epi_request *request, const epi__crypto *crypto,
                      const uint8_t key[EPI__CLAIMS_KEY], int64_t now,
                      epi__claims_seen *seen) {
  const char *given = epi_request_metadata(request, EPI_META_AUTHENTICATOR);
  uint8_t mac[EPI__MAC_SIZE], expected[EPI__MAC_SIZE];
  int result;

  if (!given) {
    return EPI_ENOENT;
  }
  if (epi__unhex(mac, sizeof mac, given)) {
    return malformed();
  }
  result = epi__claims_mac(expected, request, crypto, key, 0);
  if (result) {
    return result;
  }
  return epi__equal_secret(mac, expected, sizeof mac)
             ? epi__claims_spend(request, now, seen)
             : epi__fail(EPI_EAUTH, "the metadata is forged, or made with "
                                    "another chain key");
}

void epi__claims_seen_clear(epi__claims_seen *seen) {
  epi__free(seen->newer.slots);
  epi__free(seen->older.slots);
  memset(seen, 0, sizeof *seen);
}
