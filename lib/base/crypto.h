/* crypto.h: the table of cryptographic primitives that core code is given.
 *
 * lib/tls fills it; the core has no cryptography of its own but SHA-256 for
 * naming documents, and HMAC with it for naming sessions and chaining audit
 * logs. All functions return
 * 0 or EPI_E*; keys and nonces are arguments. Both AEADs have the same sizes.
 */
#ifndef EPI__CRYPTO_H
#define EPI__CRYPTO_H

#include "epi/error.h"

enum {
  EPI__AEAD_KEY = 32,
  EPI__AEAD_NONCE = 12,
  EPI__AEAD_TAG = 16,
  EPI__MAC_SIZE = 32,
};

/* Ciphers, as they are called on the wire (doc/filters.md). */
#define EPI__CHACHA20_POLY1305 1 /* RFC 8439 */
#define EPI__AES_256_GCM       2 /* NIST SP 800-38D */

typedef struct epi__aead epi__aead; /* a cipher with its key */

typedef struct epi__crypto {
  /* The cipher that is fast with this library on this processor. */
  int (*aead_fast)(void);

  /* Make a cipher ready with a key of EPI__AEAD_KEY bytes, and end it, wiping
   * the key; NULL is fine there. */
  int (*aead_new)(epi__aead **out, int cipher, const uint8_t *key);
  void (*aead_free)(epi__aead *aead);

  /* Encrypt len bytes from data to out and put the tag behind them; out may be
   * data, and has room for len + EPI__AEAD_TAG. */
  int (*seal)(epi__aead *aead, uint8_t *out, const uint8_t *nonce,
              const void *extra, size_t extra_len, const uint8_t *data,
              size_t len);

  /* The reverse; len counts the tag. EPI_ECRYPTO if the tag does not fit: then
   * what is in out must not be used. */
  int (*open)(epi__aead *aead, uint8_t *out, const uint8_t *nonce,
              const void *extra, size_t extra_len, const uint8_t *data,
              size_t len);

  /* HMAC-SHA256 (RFC 2104): EPI__MAC_SIZE bytes to out. */
  int (*mac)(uint8_t *out, const void *key, size_t key_len, const void *data,
             size_t len);

  /* HKDF-SHA256 (RFC 5869), out_len up to 255 * 32. */
  int (*derive)(uint8_t *out, size_t out_len, const void *key, size_t key_len,
                const void *salt, size_t salt_len, const char *info);

  /* Random bytes for keys, salts and identifiers. */
  int (*random)(void *out, size_t len);
} epi__crypto;

#endif
