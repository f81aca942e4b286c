/* dtls_wolfssl.c: sessions of DTLS 1.2, by wolfSSL. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "os/sock_addr.h"
#include "tls/dtls.h"
#include "tls/primitives.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include <pthread.h>
#include <string.h>

/* Those with forward secrecy, which authenticate and encrypt in one. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

enum {
  SECRET = 32, /* of cookies */
  TAG = 16,    /* behind an encrypted record */
  NONCE = 8,   /* in front of it, with GCM */
  RECORD_ALERT = 21,
  RECORD_HANDSHAKE = 22,
  RECORD_HEAD = 13,
  SIZE = 3, /* of a message, in its head */
  CLIENT_HELLO = 1,
  HELLO_VERIFY_REQUEST = 3,
};

struct epi__dtls_server {
  WOLFSSL_CTX *context;
  uint8_t secret[SECRET];
};

struct epi__dtls {
  WOLFSSL *ssl;
  const uint8_t *datagram; /* fed, and not taken yet; NULL: none */
  size_t len;
  int answered; /* more went out than a request for a cookie */
  int open;
  int gcm; /* which cipher was chosen */
  void (*send)(void *user, const void *data, size_t len);
  void *user;
};

static int started;

static void start_library(void) {
  started = wolfSSL_Init() == WOLFSSL_SUCCESS;
}

/* 1 if a datagram begins with a message of the handshake, in the clear. */
static int is_message(const uint8_t *datagram, size_t len, int type) {
  return len > RECORD_HEAD && datagram[0] == RECORD_HANDSHAKE && !datagram[3] &&
         !datagram[4] && datagram[RECORD_HEAD] == type;
}

/* 1 if a datagram is a ClientHello, all of it, and nothing else. The session
 * that waits would keep parts of one, and with those of a stranger it takes no
 * other client's hello. */
static int is_hello(const uint8_t *datagram, size_t len) {
  epi__reader in = epi__reader_over(datagram, len);
  const uint8_t *whole, *part;
  unsigned size;

  epi__skip(&in, RECORD_HEAD - 2);
  size = epi__read_u16(&in);
  epi__skip(&in, 1);
  whole = epi__read_bytes(&in, SIZE);
  epi__skip(&in, 2 + SIZE); /* its number, and where the part begins */
  part = epi__read_bytes(&in, SIZE);
  return is_message(datagram, len, CLIENT_HELLO) && !in.missing &&
         size == len - RECORD_HEAD && !memcmp(whole, part, SIZE) &&
         (size_t)(part[0] << 16 | part[1] << 8 | part[2]) == in.left;
}

static int on_receive(WOLFSSL *ssl, char *buf, int size, void *user) {
  epi__dtls *session = user;
  size_t len = session->len;

  (void)ssl;
  if (!session->datagram) {
    return WOLFSSL_CBIO_ERR_WANT_READ;
  }
  if (len > (size_t)size) {
    len = (size_t)size;
  }
  memcpy(buf, session->datagram, len);
  session->datagram = NULL;
  return (int)len;
}

static int on_send(WOLFSSL *ssl, char *data, int len, void *user) {
  epi__dtls *session = user;

  (void)ssl;
  session->answered |=
      !is_message((const uint8_t *)data, (size_t)len, HELLO_VERIFY_REQUEST);
  session->send(session->user, data, (size_t)len);
  return len;
}

static int load(WOLFSSL_CTX *context, const char *chain, size_t chain_len,
                const char *key, size_t key_len) {
  if (wolfSSL_CTX_use_certificate_chain_buffer(
          context, (const unsigned char *)chain, (long)chain_len) !=
      WOLFSSL_SUCCESS) {
    return epi__fail(EPI_EINVAL, "no certificate in PEM");
  }
  if (wolfSSL_CTX_use_PrivateKey_buffer(context, (const unsigned char *)key,
                                        (long)key_len, WOLFSSL_FILETYPE_PEM) !=
          WOLFSSL_SUCCESS ||
      wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS) {
    return epi__fail(EPI_EINVAL, "no private key of the certificate in PEM");
  }
  return 0;
}

int epi__dtls_server_new(epi__dtls_server **out, const char *chain,
                         size_t chain_len, const char *key, size_t key_len) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  epi__dtls_server *server;
  int result;

  pthread_once(&once, start_library);
  server = started ? epi__alloc(sizeof *server) : NULL;
  if (!server) {
    return EPI_ENOMEM;
  }
  server->context = wolfSSL_CTX_new(wolfDTLSv1_2_server_method());
  result = server->context
               ? load(server->context, chain, chain_len, key, key_len)
               : epi__fail(EPI_ENOMEM, "no DTLS context");
  if (!result) {
    result =
        epi__crypto_wolfssl()->random(server->secret, sizeof server->secret);
  }
  if (result) {
    epi__dtls_server_free(server);
    return result;
  }
  wolfSSL_CTX_set_cipher_list(server->context, ciphers);
  wolfSSL_CTX_SetIORecv(server->context, on_receive);
  wolfSSL_CTX_SetIOSend(server->context, on_send);
  *out = server;
  return 0;
}

void epi__dtls_server_free(epi__dtls_server *server) {
  if (server) {
    wolfSSL_CTX_free(server->context);
    epi_wipe(server, sizeof *server);
    epi__free(server);
  }
}

/* Go on with the handshake. Returns 0 or EPI_ECRYPTO. */
static int shake_hands(epi__dtls *session) {
  int why;

  if (session->open) {
    return 0;
  }
  if (wolfSSL_accept(session->ssl) == WOLFSSL_SUCCESS) {
    session->open = 1;
    session->gcm = strstr(wolfSSL_get_cipher(session->ssl), "GCM") != NULL;
    return 0;
  }
  why = wolfSSL_get_error(session->ssl, 0);
  return why == WOLFSSL_ERROR_WANT_READ || why == WOLFSSL_ERROR_WANT_WRITE
             ? 0
             : epi__fail(EPI_ECRYPTO, "the DTLS handshake failed: %d", why);
}

/* 1 if the records in a datagram are all there, and long enough for what they
 * say they are: wolfSSL ends a session over one that is not, and anybody can
 * forge one. */
static int is_whole(const epi__dtls *session, const uint8_t *datagram,
                    size_t len) {
  epi__reader in = epi__reader_over(datagram, len);
  size_t least = session->gcm ? NONCE + TAG : TAG;

  while (in.left && !in.missing) {
    unsigned type = epi__read_u8(&in);
    unsigned epoch, size;

    epi__skip(&in, 2);
    epoch = epi__read_u16(&in);
    epi__skip(&in, 6);
    size = epi__read_u16(&in);
    epi__skip(&in, size);
    if (session->open &&
        (epoch ? size <= least
               : type > RECORD_HANDSHAKE || type == RECORD_ALERT)) {
      return 0; /* in the clear there may be a last flight, again */
    }
  }
  return len && !in.missing;
}

int epi__dtls_feed(epi__dtls *session, const uint8_t *datagram, size_t len) {
  if (!is_whole(session, datagram, len)) {
    return 0;
  }
  session->datagram = datagram;
  session->len = len;
  return shake_hands(session);
}

int epi__dtls_hello(epi__dtls *session, const epi_addr *peer,
                    const uint8_t *datagram, size_t len) {
  epi__sock_addr name;
  socklen_t name_len = epi__sock_addr_to(&name, peer);

  if (!is_hello(datagram, len)) {
    return 0;
  }
  if (wolfSSL_dtls_set_peer(session->ssl, &name, name_len) != WOLFSSL_SUCCESS) {
    return epi__fail(EPI_ECRYPTO, "no DTLS peer");
  }
  session->answered = 0;
  if (epi__dtls_feed(session, datagram, len)) {
    return EPI_ECRYPTO;
  }
  return session->answered;
}

int epi__dtls_new(epi__dtls **out, epi__dtls_server *server,
                  void (*send)(void *user, const void *data, size_t len),
                  void *user) {
  epi__dtls *session = epi__alloc(sizeof *session);

  if (!session) {
    return EPI_ENOMEM;
  }
  session->send = send;
  session->user = user;
  session->ssl = wolfSSL_new(server->context);
  if (!session->ssl ||
      wolfSSL_DTLS_SetCookieSecret(session->ssl, server->secret, SECRET)) {
    epi__dtls_free(session);
    return epi__fail(EPI_ENOMEM, "no DTLS session");
  }
  wolfSSL_SetIOReadCtx(session->ssl, session);
  wolfSSL_SetIOWriteCtx(session->ssl, session);
  wolfSSL_dtls_set_using_nonblock(session->ssl, 1);
  *out = session;
  return 0;
}

void epi__dtls_free(epi__dtls *session) {
  if (session) {
    if (session->open) {
      wolfSSL_shutdown(session->ssl);
    }
    wolfSSL_free(session->ssl);
    epi__free(session);
  }
}

ptrdiff_t epi__dtls_read(epi__dtls *session, void *buf, size_t size) {
  int got, why;

  if (!session->open) {
    return 0;
  }
  got =
      wolfSSL_read(session->ssl, buf, size < INT32_MAX ? (int)size : INT32_MAX);
  if (got > 0) {
    return got;
  }
  why = wolfSSL_get_error(session->ssl, got);
  if (why == WOLFSSL_ERROR_WANT_READ || why == WOLFSSL_ERROR_WANT_WRITE) {
    return 0;
  }
  return why == WOLFSSL_ERROR_ZERO_RETURN
             ? epi__fail(EPI_ECLOSED, "the peer ended its DTLS session")
             : epi__fail(EPI_ECRYPTO, "a DTLS session failed: %d", why);
}

int epi__dtls_write(epi__dtls *session, const void *data, size_t len) {
  int sent;

  if (!session->open) {
    return EPI_ESTATE;
  }
  if ((int)len > wolfSSL_GetMaxOutputSize(session->ssl)) {
    return epi__fail(EPI_ELIMIT, "%zu bytes are too long for DTLS", len);
  }
  sent = wolfSSL_write(session->ssl, data, (int)len);
  return sent == (int)len ? 0 : epi__fail(EPI_ECRYPTO, "cannot send by DTLS");
}

int epi__dtls_is_open(const epi__dtls *session) {
  return session->open;
}

int64_t epi__dtls_patience_ms(const epi__dtls *session) {
  return 1000 * (int64_t)wolfSSL_dtls_get_current_timeout(session->ssl);
}

int epi__dtls_again(epi__dtls *session) {
  return wolfSSL_dtls_got_timeout(session->ssl) == WOLFSSL_SUCCESS
             ? 0
             : epi__fail(EPI_ETIMEOUT, "the peer left its DTLS handshake");
}

void epi__dtls_thread_end(void) {
#if defined(FP_ECC) && defined(HAVE_THREAD_LS)
  wc_ecc_fp_free(); /* its cache of points on curves is the thread's */
#endif
}
