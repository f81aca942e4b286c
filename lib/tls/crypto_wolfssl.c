/* crypto_wolfssl.c: the cryptographic primitives, by wolfCrypt. */
#include "base/fail.h"
#include "base/memory.h"
#include "tls/primitives.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

struct epi__aead {
  int cipher;
  uint8_t key[EPI__AEAD_KEY]; /* of ChaCha20 */
  Aes *aes;                   /* NULL for ChaCha20: it is large */
};

/* AES is slow, and its tables tell a neighbour on the processor about the key,
 * unless the library was built for the processor's instructions. */
static int aead_fast(void) {
#if defined(WOLFSSL_AESNI) && defined(__x86_64__)
  return __builtin_cpu_supports("aes") ? EPI__AES_256_GCM
                                       : EPI__CHACHA20_POLY1305;
#elif defined(WOLFSSL_ARMASM) && !defined(WOLFSSL_ARMASM_NO_HW_CRYPTO)
  return EPI__AES_256_GCM;
#else
  return EPI__CHACHA20_POLY1305;
#endif
}

static void aead_free(epi__aead *aead) {
  if (!aead) {
    return;
  }
  if (aead->aes) {
    wc_AesFree(aead->aes);
    epi_wipe(aead->aes, sizeof *aead->aes);
    epi__free(aead->aes);
  }
  epi_wipe(aead, sizeof *aead);
  epi__free(aead);
}

static int start_aes(epi__aead *aead, const uint8_t *key) {
  aead->aes = epi__alloc(sizeof *aead->aes);
  if (!aead->aes) {
    return EPI_ENOMEM;
  }
  if (wc_AesInit(aead->aes, NULL, INVALID_DEVID) ||
      wc_AesGcmSetKey(aead->aes, key, EPI__AEAD_KEY)) {
    return epi__fail(EPI_ECRYPTO, "wolfCrypt cannot start AES");
  }
  return 0;
}

static int aead_new(epi__aead **out, int cipher, const uint8_t *key) {
  epi__aead *aead;
  int result = 0;

  if (cipher != EPI__CHACHA20_POLY1305 && cipher != EPI__AES_256_GCM) {
    return epi__fail(EPI_EINVAL, "no cipher %d", cipher);
  }
  aead = epi__alloc(sizeof *aead);
  if (!aead) {
    return EPI_ENOMEM;
  }
  aead->cipher = cipher;
  if (cipher == EPI__AES_256_GCM) {
    result = start_aes(aead, key);
  } else {
    memcpy(aead->key, key, sizeof aead->key);
  }
  if (result) {
    aead_free(aead);
    return result;
  }
  *out = aead;
  return 0;
}

static int seal(epi__aead *aead, uint8_t *out, const uint8_t *nonce,
                const void *extra, size_t extra_len, const uint8_t *data,
                size_t len) {
  static const uint8_t none[1];
  const uint8_t *from = data ? data : none;
  int failed = aead->aes
                   ? wc_AesGcmEncrypt(aead->aes, out, from, (word32)len, nonce,
                                      EPI__AEAD_NONCE, out + len, EPI__AEAD_TAG,
                                      extra, (word32)extra_len)
                   : wc_ChaCha20Poly1305_Encrypt(aead->key, nonce, extra,
                                                 (word32)extra_len, from,
                                                 (word32)len, out, out + len);

  return failed ? epi__fail(EPI_ECRYPTO, "wolfCrypt cannot encrypt") : 0;
}

static int open_sealed(epi__aead *aead, uint8_t *out, const uint8_t *nonce,
                       const void *extra, size_t extra_len, const uint8_t *data,
                       size_t len) {
  int failed;

  if (len < EPI__AEAD_TAG) {
    return epi__fail(EPI_ECRYPTO, "sealed data is too short");
  }
  len -= EPI__AEAD_TAG;
  failed = aead->aes
               ? wc_AesGcmDecrypt(aead->aes, out, data, (word32)len, nonce,
                                  EPI__AEAD_NONCE, data + len, EPI__AEAD_TAG,
                                  extra, (word32)extra_len)
               : wc_ChaCha20Poly1305_Decrypt(aead->key, nonce, extra,
                                             (word32)extra_len, data,
                                             (word32)len, data + len, out);
  return failed ? epi__fail(EPI_ECRYPTO, "sealed data is forged, damaged, or "
                                         "under another key")
                : 0;
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
  static const epi__crypto table = {
      aead_fast,   aead_new, aead_free, seal,
      open_sealed, mac,      derive,    random_bytes,
  };

  return &table;
}
