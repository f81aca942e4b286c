/* fuzz_tls_peer.c: what a TLS peer sends. The first byte says which side is
 * tested and how: with the bytes as they are, or with a real peer whose bytes
 * are changed on their way (where, and by what), and cut into pieces. */
#include "support/tls_authority.h"
#include "tls/tls_session.h"

#include <stdlib.h>
#include <string.h>

enum { SERVER = 1, REAL = 2, ROUNDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static epi__tls_context *server, *client;

static void make(void) {
  static tls_issued cert, client_cert;
  tls_authority *root = tls_authority_new("Root", NULL, 0);
  tls_wish wish = {.cn = "x", .dns = "hop.example.org"};
  epi__tls_pair pair, client_pair;
  epi__tls_setup setup = {.server = 1, .pairs = &pair, .pair_count = 1};

  tls_authority_issue(root, &cert, &wish);
  tls_authority_issue(root, &client_cert, &wish);
  pair = (epi__tls_pair){
      {cert.chain, strlen(cert.chain)}, {cert.key, strlen(cert.key)}, {0}};
  client_pair = (epi__tls_pair){{client_cert.chain, strlen(client_cert.chain)},
                                {client_cert.key, strlen(client_cert.key)},
                                {0}};
  setup.ca.data = tls_authority_pem(root);
  setup.ca.len = strlen(setup.ca.data);
  setup.peer = EPI__TLS_PEER_ASK;
  if (epi__tls_context_new(&server, &setup)) {
    abort();
  }
  setup.server = 0;
  setup.peer = EPI__TLS_PEER_NONE;
  setup.pairs = &client_pair;
  if (epi__tls_context_new(&client, &setup)) {
    abort();
  }
  tls_authority_free(root);
}

/* Whatever comes, what a session says must hold together. */
static void check(epi__tls *session, int result) {
  uint8_t buf[300];
  int was_open = epi__tls_is_open(session);
  ptrdiff_t got = epi__tls_read(session, buf, sizeof buf);

  if (result < 0 && result != EPI_ELIMIT &&
      (was_open || got != result || !*epi__tls_reason(session))) {
    abort();
  }
  if (!was_open && got >= 0) {
    abort();
  }
}

static void feed_raw(epi__tls *session, const uint8_t *data, size_t len) {
  size_t step = len > 1 ? 1 + data[0] : 1;

  epi__tls_begin(session);
  while (len) {
    size_t part = len < step ? len : step;

    check(session, epi__tls_feed(session, data, part));
    data += part;
    len -= part;
  }
  epi__tls_feed_end(session);
  check(session, 0);
}

/* Change what is on its way as the input says: of every three bytes two are a
 * distance and one is what changes there. */
static void change(uint8_t *bytes, size_t len, const uint8_t **data,
                   size_t *left, size_t *passed) {
  while (*left >= 3) {
    size_t at = (size_t)(*data)[0] << 8 | (*data)[1];

    if (at >= *passed + len) {
      break;
    }
    if (at >= *passed) {
      bytes[at - *passed] ^= (*data)[2];
    }
    *data += 3;
    *left -= 3;
  }
  *passed += len;
}

static ptrdiff_t carry(epi__tls *from, epi__tls *to, size_t step, int changes,
                       const uint8_t **data, size_t *left, size_t *passed) {
  const void *waiting;
  size_t len = epi__tls_peek(from, &waiting);
  uint8_t *copy;
  int result;

  len = len < step ? len : step;
  copy = malloc(len + 1);
  if (!copy) {
    abort();
  }
  if (len) {
    memcpy(copy, waiting, len);
    epi__tls_ack(from, len);
  }
  if (changes) {
    change(copy, len, data, left, passed);
  }
  result = len ? epi__tls_feed(to, copy, len) : 0;
  free(copy);
  check(to, result);
  return (ptrdiff_t)len;
}

static void feed_changed(epi__tls *from, epi__tls *to, const uint8_t *data,
                         size_t len) {
  size_t step = len ? 1 + 40 * (size_t)data[0] : 1, passed = 0;
  int rounds = ROUNDS + 4096 / (int)step;

  data += len ? 1 : 0;
  len -= len ? 1 : 0;
  epi__tls_begin(from);
  epi__tls_begin(to);
  while (rounds--) {
    ptrdiff_t there = carry(from, to, step, 1, &data, &len, &passed);
    ptrdiff_t back = carry(to, from, SIZE_MAX, 0, NULL, NULL, NULL);

    if (!there && !back) {
      break;
    }
    if (epi__tls_is_open(from)) {
      epi__tls_write(from, "ping", 4);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi__tls *ours = NULL, *theirs = NULL;
  int how = len ? data[0] : 0;

  if (!server) {
    make();
  }
  if (!len || epi__tls_new(&ours, server, NULL, 0) ||
      epi__tls_new(&theirs, client, "hop.example.org", 1)) {
    return 0;
  }
  if (how & REAL) {
    feed_changed(how & SERVER ? theirs : ours, how & SERVER ? ours : theirs,
                 data + 1, len - 1);
  } else {
    feed_raw(how & SERVER ? ours : theirs, data + 1, len - 1);
  }
  epi__tls_free(ours);
  epi__tls_free(theirs);
  return 0;
}
