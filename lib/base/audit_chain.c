/* audit_chain.c: the end of a line of an audit log. */
#include "base/audit_chain.h"

#include "epi/audit.h"

#include <inttypes.h>
#include <string.h>

static const char seq_key[] = ",\"seq\":";
static const char previous_key[] = ",\"previous\":\"";
static const char mac_key[] = ",\"mac\":\"";

enum {
  NUMBER_DIGITS = 18, /* more would not fit */
};

/* What a line carries, in place. */
typedef struct tail {
  size_t sealed; /* bytes before the MAC */
  int64_t number;
  const char *previous, *mac;
} tail;

/* HKDF-SHA256 (RFC 5869) for one block, so that a key that is used for another
 * purpose, too, does not show here. */
static void derive(uint8_t *out, const void *key, size_t len) {
  static const uint8_t salt[32];
  static const char info[] = "libepi audit log 1";
  static const uint8_t first = 1;
  uint8_t extracted[32];
  epi__hmac hmac;

  epi__hmac_start(&hmac, salt, sizeof salt);
  epi__hmac_add(&hmac, key, len);
  epi__hmac_end(&hmac, extracted);
  epi__hmac_start(&hmac, extracted, sizeof extracted);
  epi__hmac_add(&hmac, info, sizeof info - 1);
  epi__hmac_add(&hmac, &first, 1);
  epi__hmac_end(&hmac, out);
  epi_wipe(extracted, sizeof extracted);
}

int epi__audit_chain_start(epi__audit_chain *chain, const void *key,
                           size_t len) {
  uint8_t derived[32];

  if (!key || len < EPI_AUDIT_KEY_MIN || len > EPI_AUDIT_KEY_MAX) {
    return epi__fail(EPI_EINVAL, "an audit key has %d to %d bytes",
                     EPI_AUDIT_KEY_MIN, EPI_AUDIT_KEY_MAX);
  }
  derive(derived, key, len);
  epi__hmac_start(&chain->keyed, derived, sizeof derived);
  epi_wipe(derived, sizeof derived);
  chain->number = 0;
  memset(chain->mac, '0', EPI__AUDIT_DIGITS);
  chain->mac[EPI__AUDIT_DIGITS] = '\0';
  return 0;
}

void epi__audit_chain_wipe(epi__audit_chain *chain) {
  epi_wipe(&chain->keyed, sizeof chain->keyed);
}

static void make_mac(char *out, const epi__audit_chain *chain, const char *line,
                     size_t len) {
  epi__hmac hmac = chain->keyed;
  uint8_t mac[32];

  epi__hmac_add(&hmac, line, len);
  epi__hmac_end(&hmac, mac);
  epi__hex(out, mac, sizeof mac);
}

void epi__audit_chain_seal(epi__audit_chain *chain, epi__text *line) {
  epi__text_printf(line, "%s%" PRId64 "%s%s\"", seq_key, chain->number + 1,
                   previous_key, chain->mac);
  if (line->failed) {
    return;
  }
  chain->number++;
  make_mac(chain->mac, chain, line->block, line->len);
  epi__text_printf(line, "%s%s\"}\n", mac_key, chain->mac);
}

/* Does the text end in these bytes? Then it is shorter by them. */
static int take(const char *line, size_t *len, const char *bytes) {
  size_t count = strlen(bytes);

  if (*len < count || memcmp(line + *len - count, bytes, count) != 0) {
    return 0;
  }
  *len -= count;
  return 1;
}

static const char *take_mac(const char *line, size_t *len) {
  if (*len < EPI__AUDIT_DIGITS) {
    return NULL;
  }
  *len -= EPI__AUDIT_DIGITS;
  return line + *len;
}

static int take_number(const char *line, size_t *len, int64_t *out) {
  size_t end = *len, at = end;

  while (at > 0 && end - at < NUMBER_DIGITS && line[at - 1] >= '0' &&
         line[at - 1] <= '9') {
    at--;
  }
  *out = 0;
  for (size_t i = at; i < end; i++) {
    *out = *out * 10 + (line[i] - '0');
  }
  *len = at;
  return *out > 0 && line[at] != '0';
}

/* Read a line's end, from behind. Returns 1, or 0: it has none. */
static int read_tail(tail *out, const char *line, size_t len) {
  if (!take(line, &len, "\"}") || !(out->mac = take_mac(line, &len)) ||
      !take(line, &len, mac_key)) {
    return 0;
  }
  out->sealed = len;
  return take(line, &len, "\"") && (out->previous = take_mac(line, &len)) &&
         take(line, &len, previous_key) &&
         take_number(line, &len, &out->number) && take(line, &len, seq_key);
}

static int check_place(const epi__audit_chain *chain, const tail *at) {
  int64_t next = chain->number + 1;

  if (at->number > next) {
    return epi__fail(EPI_EPROTO,
                     "line number %" PRId64 " follows number %" PRId64
                     ": lines between them are missing",
                     at->number, chain->number);
  }
  if (at->number < next) {
    return epi__fail(EPI_EPROTO,
                     "line number %" PRId64 " follows number %" PRId64
                     ": it was inserted or moved",
                     at->number, chain->number);
  }
  if (memcmp(at->previous, chain->mac, EPI__AUDIT_DIGITS) != 0) {
    return epi__fail(EPI_EPROTO,
                     "line number %" PRId64
                     " does not follow the one before it: it is another log's, "
                     "or that one was exchanged",
                     at->number);
  }
  return 0;
}

int epi__audit_chain_check(epi__audit_chain *chain, const char *line,
                           size_t len, int first) {
  char mac[EPI__AUDIT_DIGITS + 1];
  tail at = {0};
  int result;

  if (!read_tail(&at, line, len)) {
    return epi__fail(EPI_EPROTO, "it was changed or inserted: it does not end "
                                 "as a line of an audit log");
  }
  make_mac(mac, chain, line, at.sealed);
  if (!epi__equal_secret(mac, at.mac, EPI__AUDIT_DIGITS)) {
    return epi__fail(EPI_EPROTO,
                     "it was changed, or this is not the key: its MAC is not "
                     "that of what it says");
  }
  result = first ? 0 : check_place(chain, &at);
  if (result) {
    return result;
  }
  chain->number = at.number;
  memcpy(chain->mac, mac, sizeof mac);
  return 0;
}
