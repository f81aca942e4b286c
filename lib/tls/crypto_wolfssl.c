/* crypto_wolfssl.c: the cryptographic primitives, by wolfCrypt. */
#include "base/fail.h"
#include "tls/primitives.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static int seal(uint8_t *out, const uint8_t *key, const uint8_t *nonce,
                const void *extra, size_t extra_len, const uint8_t *data,
                size_t len) {
  uint8_t none = 0;

  if (wc_ChaCha20Poly1305_Encrypt(key, nonce, extra, (word32)extra_len,
                                  data ? data : &none, (word32)len, out,
                                  out + len)) {
    return epi__fail(EPI_ECRYPTO, "wolfCrypt cannot encrypt");
  }
  return 0;
}

static int open_sealed(uint8_t *out, const uint8_t *key, const uint8_t *nonce,
                       const void *extra, size_t extra_len, const uint8_t *data,
                       size_t len) {
  if (len < EPI__AEAD_TAG) {
    return epi__fail(EPI_ECRYPTO, "sealed data is too short");
  }
  len -= EPI__AEAD_TAG;
  if (wc_ChaCha20Poly1305_Decrypt(key, nonce, extra, (word32)extra_len, data,
                                  (word32)len, data + len, out)) {
    return epi__fail(EPI_ECRYPTO, "sealed data is forged, damaged, or under "
                                  "another key");
  }
  return 0;
}

static int mac(uint8_t *out, const void *key, size_t key_len, const void *data,
               size_t len) {
  Hmac hmac;
  int failed;

  if (wc_HmacInit(&hmac, NULL, INVALID_DEVID)) {
    return epi__fail(EPI_ECRYPTO, "wolfCrypt cannot start an HMAC");
  }
  failed = wc_HmacSetKey(&hmac, WC_SHA256, key, (word32)key_len) ||
           wc_HmacUpdate(&hmac, data, (word32)len) || wc_HmacFinal(&hmac, out);
  wc_HmacFree(&hmac);
  return failed ? epi__fail(EPI_ECRYPTO, "wolfCrypt cannot make an HMAC") : 0;
}

static int derive(uint8_t *out, size_t out_len, const void *key, size_t key_len,
                  const void *salt, size_t salt_len, const char *info) {
  if (wc_HKDF(WC_SHA256, key, (word32)key_len, salt, (word32)salt_len,
              (const uint8_t *)info, (word32)strlen(info), out,
              (word32)out_len)) {
    return epi__fail(EPI_ECRYPTO, "wolfCrypt cannot derive a key");
  }
  return 0;
}

static int random_bytes(void *out, size_t len) {
  uint8_t *at = out;

  while (len) {
    ssize_t got = getrandom(at, len, 0);

    if (got < 0 && errno != EINTR) {
      return epi__fail(EPI_ESYS, "no random bytes: %s", strerror(errno));
    }
    if (got > 0) {
      at += got;
      len -= (size_t)got;
    }
  }
  return 0;
}

const epi__crypto *epi__crypto_wolfssl(void) {
  static const epi__crypto table = {seal, open_sealed, mac, derive,
                                    random_bytes};

  return &table;
}
