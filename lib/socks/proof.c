/* proof.c: tickets for functions at endpoints, and their stamps. */
#include "socks/proof.h"

#include "base/bytes.h"
#include "base/fail.h"

#include <stdio.h>
#include <string.h>

enum {
  DIGITS = 2 * EPI__MAC_SIZE,
  STEP = DIGITS + 1, /* from one HMAC of a list to the next */
};

/* A list of HMACs, as it is in metadata: digits, with commas between. */
typedef struct macs {
  const char *text;
  size_t count;
  uint8_t items[EPI__PROOF_MAX][EPI__MAC_SIZE];
} macs;

static int read_macs(macs *out, const epi_request *request, int key) {
  const char *text = epi_request_metadata(request, key);
  size_t len = text ? strlen(text) : 0;

  memset(out, 0, sizeof *out);
  out->text = text ? text : "";
  if (!len) {
    return 0;
  }
  if ((len + 1) % STEP || len / STEP >= EPI__PROOF_MAX) {
    return EPI_EAUTH;
  }
  for (size_t at = 0; at < len; at += STEP) {
    char digits[DIGITS + 1];

    snprintf(digits, sizeof digits, "%s", text + at);
    if (epi__unhex(out->items[out->count++], EPI__MAC_SIZE, digits) ||
        (text[at + DIGITS] && text[at + DIGITS] != ',')) {
      return EPI_EAUTH;
    }
  }
  return 0;
}

static int append(epi_request *request, int key, const uint8_t *mac) {
  const char *before = epi_request_metadata(request, key);
  char text[EPI__PROOF_MAX * STEP + 1], digits[DIGITS + 1];
  int len;

  epi__hex(digits, mac, EPI__MAC_SIZE);
  len = snprintf(text, sizeof text, "%s%s%s", before ? before : "",
                 before ? "," : "", digits);
  return len < (int)sizeof text
             ? epi_request_set_metadata(request, key, text)
             : epi__fail(EPI_ELIMIT, "over %d functions between two proxies",
                         EPI__PROOF_MAX);
}

int epi__function_key(uint8_t out[EPI__FUNCTION_KEY], const epi__crypto *crypto,
                      const void *chain_key, size_t len, const char *name) {
  char info[16 + EPI__FUNCTION_NAME];

  snprintf(info, sizeof info, "epi proof 1 %s", name);
  return strlen(name) <= EPI__FUNCTION_NAME
             ? crypto->derive(out, EPI__FUNCTION_KEY, chain_key, len, "", 0,
                              info)
             : epi__fail(EPI_EINVAL, "a function's name has up to %d bytes",
                         EPI__FUNCTION_NAME);
}

int epi__ticket_add(epi_request *request, const epi__crypto *crypto,
                    const uint8_t key[EPI__FUNCTION_KEY]) {
  uint8_t ticket[EPI__MAC_SIZE];
  int result = epi__claims_mac(ticket, request, crypto, key, 1);

  return result ? result : append(request, EPI_META_TICKETS, ticket);
}

/* The stamp of a function behind so many others. */
static int make_stamp(uint8_t out[EPI__MAC_SIZE], const epi__crypto *crypto,
                      const uint8_t *key, const uint8_t *ticket,
                      const char *before, size_t count) {
  char text[16 + DIGITS + EPI__PROOF_MAX * STEP], digits[DIGITS + 1];
  int len;

  epi__hex(digits, ticket, EPI__MAC_SIZE);
  len = snprintf(text, sizeof text, "epi stamp 1\n%s %.*s", digits,
                 (int)(count ? count * STEP - 1 : 0), before);
  return crypto->mac(out, key, EPI__FUNCTION_KEY, text, (size_t)len);
}

/* ---- at a function ---- */

int epi__ticket_check(const epi_request *request, const epi__crypto *crypto,
                      const uint8_t key[EPI__FUNCTION_KEY], int64_t now,
                      epi__claims_seen *seen) {
  uint8_t mine[EPI__MAC_SIZE];
  macs tickets, stamps;
  size_t place = 0;
  int result = epi__claims_mac(mine, request, crypto, key, 1);

  if (result) {
    return result;
  }
  if (read_macs(&tickets, request, EPI_META_TICKETS) ||
      read_macs(&stamps, request, EPI_META_PROOF)) {
    return epi__fail(EPI_EAUTH, "the tickets or stamps are malformed");
  }
  while (place < tickets.count &&
         !epi__equal_secret(tickets.items[place], mine, sizeof mine)) {
    place++;
  }
  if (place == tickets.count) {
    return epi__fail(EPI_EAUTH,
                     "%s for this function: do its name and key fit those of "
                     "the proxy before?",
                     tickets.count ? "no ticket is" : "there is no ticket");
  }
  return stamps.count == place
             ? epi__claims_spend(request, now, seen)
             : epi__fail(EPI_EAUTH,
                         "%zu functions come before this one, and %zu saw "
                         "the flow",
                         place, stamps.count);
}

int epi__ticket_is_last(const epi_request *request) {
  macs tickets, stamps;

  return !read_macs(&tickets, request, EPI_META_TICKETS) &&
         !read_macs(&stamps, request, EPI_META_PROOF) &&
         tickets.count == stamps.count + 1;
}

int epi__proof_stamp(epi_request *out, const epi_request *came,
                     const epi__crypto *crypto,
                     const uint8_t key[EPI__FUNCTION_KEY]) {
  uint8_t ticket[EPI__MAC_SIZE], stamp[EPI__MAC_SIZE];
  macs before;
  int result = epi__claims_mac(ticket, came, crypto, key, 1);

  if (!result) {
    result = read_macs(&before, came, EPI_META_PROOF);
  }
  if (!result) {
    result = make_stamp(stamp, crypto, key, ticket, before.text, before.count);
  }
  return result ? result : append(out, EPI_META_PROOF, stamp);
}

/* ---- at the proxy behind ---- */

/* The place, from 0, at which a function stamped, or EPI_ENOENT. */
static int find_stamp(const epi__crypto *crypto, const uint8_t *key,
                      const uint8_t *ticket, const macs *stamps) {
  for (size_t i = 0; i < stamps->count; i++) {
    uint8_t expected[EPI__MAC_SIZE];
    int result = make_stamp(expected, crypto, key, ticket, stamps->text, i);

    if (result) {
      return result;
    }
    if (epi__equal_secret(expected, stamps->items[i], sizeof expected)) {
      return (int)i;
    }
  }
  return EPI_ENOENT;
}

/* Check the function that is next, of *place that were passed. */
static int check_one(const epi_request *request, const epi__crypto *crypto,
                     const uint8_t *key, const epi__proof_of *function,
                     const macs *tickets, const macs *stamps, size_t *place) {
  uint8_t ticket[EPI__MAC_SIZE];
  int result = epi__claims_mac(ticket, request, crypto, key, 1);

  if (result) {
    return result;
  }
  if (*place == tickets->count ||
      !epi__equal_secret(ticket, tickets->items[*place], sizeof ticket)) {
    return function->optional
               ? 0
               : epi__fail(EPI_EDENIED,
                           "the proxy before did not send the flow through %s: "
                           "do both have the same model?",
                           function->name);
  }
  result = find_stamp(crypto, key, ticket, stamps);
  if (result == EPI_ENOENT) {
    return epi__fail(EPI_EDENIED, "no proof that %s saw the flow",
                     function->name);
  }
  if (result >= 0 && (size_t)result != *place) {
    return epi__fail(EPI_EDENIED, "%s saw the flow, but not in its place",
                     function->name);
  }
  ++*place;
  return result < 0 ? result : 0;
}

int epi__proof_check(const epi_request *request, const epi__crypto *crypto,
                     const void *chain_key, size_t len,
                     const epi__proof_of *functions, size_t count) {
  uint8_t key[EPI__FUNCTION_KEY];
  macs tickets, stamps;
  size_t place = 0;
  int result = 0;

  if (read_macs(&tickets, request, EPI_META_TICKETS) ||
      read_macs(&stamps, request, EPI_META_PROOF)) {
    return epi__fail(EPI_EDENIED, "the proof that functions saw the flow is "
                                  "malformed");
  }
  for (size_t i = 0; i < count && !result; i++) {
    result = epi__function_key(key, crypto, chain_key, len, functions[i].name);
    if (!result) {
      result = check_one(request, crypto, key, &functions[i], &tickets, &stamps,
                         &place);
    }
  }
  epi_wipe(key, sizeof key);
  if (!result && (place < tickets.count || place < stamps.count)) {
    result = epi__fail(EPI_EDENIED,
                       "the flow passed other functions than the plan's: do "
                       "both proxies have the same model?");
  }
  return result;
}
