/* fuzz_proof.c: the tickets and stamps of a request, a line each, with an HMAC
 * that any fuzzer can forge. */
#include "socks/proof.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Tickets come out as 11..., stamps as 22... */
static int mac(uint8_t *out, const void *key, size_t key_len, const void *data,
               size_t len) {
  const char *text = data;

  (void)key;
  (void)key_len;
  (void)len;
  memset(out, text[4] == 't' ? 0x11 : 0x22, EPI__MAC_SIZE);
  return 0;
}

static int derive(uint8_t *out, size_t out_len, const void *key, size_t key_len,
                  const void *salt, size_t salt_len, const char *info) {
  (void)key;
  (void)key_len;
  (void)salt;
  (void)salt_len;
  (void)info;
  memset(out, 0, out_len);
  return 0;
}

/* What is no text is no metadata, and never got this far. */
static void set(epi_request *request, int key, const char *text) {
  if (epi_request_set_metadata(request, key, text)) {
    epi_request_set_metadata(request, key, NULL);
  }
}

static size_t count_of(const epi_request *request, int key) {
  const char *text = epi_request_metadata(request, key);

  return text && *text ? (strlen(text) + 1) / (2 * EPI__MAC_SIZE + 1) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const epi__crypto crypto = {.mac = mac, .derive = derive};
  static const uint8_t key[EPI__FUNCTION_KEY];
  epi__proof_of functions[] = {{"gate", 0}, {"scan", 1}, {"mask", 0}};
  epi__claims_seen seen = {0};
  char *text = calloc(1, len + 1);
  epi_request *request;
  char *second;

  if (!text || epi_request_new(&request)) {
    abort();
  }
  if (len) {
    memcpy(text, data, len);
  }
  second = strchr(text, '\n');
  set(request, EPI_META_TICKETS, text);
  if (second) {
    *second = '\0';
    set(request, EPI_META_TICKETS, text);
    set(request, EPI_META_PROOF, second + 1);
  }
  for (size_t count = 0; count <= 3; count++) {
    size_t stamps = count_of(request, EPI_META_PROOF);

    if (!epi__proof_check(request, &crypto, "", 0, functions, count) &&
        (stamps != count_of(request, EPI_META_TICKETS) || stamps > count ||
         (count && !stamps))) {
      abort();
    }
  }
  epi__ticket_check(request, &crypto, key, 0, &seen);
  epi__proof_stamp(request, request, &crypto, key);
  epi__claims_seen_clear(&seen);
  epi_request_free(request);
  free(text);
  return 0;
}
