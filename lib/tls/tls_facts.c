/* tls_facts.c: what is known of a TLS session. */
#include "base/memory.h"
#include "tls/tls_parts.h"

int epi__tls_host_text(char **out, const epi_addr *host) {
  char text[EPI_ADDR_TEXT_MAX];

  if (epi_addr_format(host, 0, text, sizeof text) < 0) {
    return EPI_EINVAL;
  }
  *out = epi__strdup(text);
  return *out ? 0 : EPI_ENOMEM;
}

static const char *text_of(const char *text) {
  return text ? text : "";
}

size_t epi__tls_held(const epi__tls *session) {
  return session->out.capacity;
}

int epi__tls_is_open(const epi__tls *session) {
  return session->open && !session->failed;
}

int epi__tls_is_ended(const epi__tls *session) {
  return session->ended;
}

const char *epi__tls_peer(const epi__tls *session) {
  return session->open ? text_of(session->peer) : "";
}

const char *epi__tls_peer_kind(const epi__tls *session) {
  return session->open ? session->kind : "";
}

const char *epi__tls_server_name(const epi__tls *session) {
  return text_of(session->server_name);
}

const char *epi__tls_alpn(const epi__tls *session) {
  return text_of(session->alpn);
}

const char *epi__tls_version(const epi__tls *session) {
  return session->version;
}

const char *epi__tls_cipher(const epi__tls *session) {
  return session->cipher;
}

int epi__tls_is_resumed(const epi__tls *session) {
  return session->resumed;
}
