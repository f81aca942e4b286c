/* claims.h: what one proxy tells the next, so that the next can believe it.
 *
 * A proxy that holds the chain key signs the metadata of its request: where the
 * flow came from, for what, which rule let it live, what is left of the plan.
 * The authenticator is an HMAC-SHA256 over the command, the destination and all
 * metadata but the chain index, which functions on the way advance, and the
 * list of proxies passed and the proof (proof.h), which they extend. It holds
 * for CLAIMS_WINDOW seconds, and once. */
#ifndef EPI__CLAIMS_H
#define EPI__CLAIMS_H

#include "base/crypto.h"
#include "epi/socks.h"

enum {
  EPI__CLAIMS_KEY = 32,
  EPI__CLAIMS_NONCE = 16,
  EPI__CLAIMS_WINDOW = 60,    /* seconds that clocks may differ */
  EPI__CLAIMS_SEEN = 1 << 22, /* slots of a set, half of them used */
};

/* The key for claims from the chain key. Returns 0 or EPI_ECRYPTO. */
int epi__claims_key(uint8_t out[EPI__CLAIMS_KEY], const epi__crypto *crypto,
                    const void *chain_key, size_t len);

/* Say in a request's metadata when it was made, in seconds since 1970, with a
 * new nonce. Returns 0, EPI_ESYS, EPI_ELIMIT or EPI_ENOMEM. */
int epi__claims_issue(epi_request *request, const epi__crypto *crypto,
                      int64_t now);

/* Sign a request's metadata, once all of it is there. Returns 0, EPI_ECRYPTO,
 * EPI_ELIMIT or EPI_ENOMEM. */
int epi__claims_sign(epi_request *request, const epi__crypto *crypto,
                     const uint8_t key[EPI__CLAIMS_KEY]);

/* The HMAC that signs, or with ticket 1 that of a function's ticket. Returns 0,
 * EPI_ECRYPTO or EPI_ENOMEM. */
int epi__claims_mac(uint8_t out[EPI__MAC_SIZE], const epi_request *request,
                    const epi__crypto *crypto,
                    const uint8_t key[EPI__CLAIMS_KEY], int ticket);

/* A set of nonces, by hash; a slot of zeroes is empty. */
typedef struct epi__nonces {
  uint8_t (*slots)[EPI__CLAIMS_NONCE];
  size_t size, count;
} epi__nonces;

/* The nonces of the last minutes, so that each counts once. */
typedef struct epi__claims_seen {
  int64_t from;       /* what is older may have been used before a restart */
  int64_t since;      /* when newer began */
  int64_t last;       /* the time of the newest claim that was believed */
  int64_t older_last; /* the same when newer began */
  int64_t forgotten;  /* of those that are remembered no more */
  epi__nonces newer, older;
} epi__claims_seen;

/* Check what a peer signed. Returns 0 (believe it); EPI_ENOENT (it is not
 * signed); EPI_EAUTH (forged, too old, or seen before); EPI_ELIMIT (too many
 * in one window to remember them all: refuse) or EPI_ENOMEM. */
int epi__claims_check(const epi_request *request, const epi__crypto *crypto,
                      const uint8_t key[EPI__CLAIMS_KEY], int64_t now,
                      epi__claims_seen *seen);

/* What a check does once the HMAC is right: look at the time, and let the nonce
 * count once. Returns as epi__claims_check(). */
int epi__claims_spend(const epi_request *request, int64_t now,
                      epi__claims_seen *seen);

void epi__claims_seen_clear(epi__claims_seen *seen);

#endif
