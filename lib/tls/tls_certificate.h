/* tls_certificate.h: what a certificate says, whoever signed it. */
#ifndef EPI__TLS_CERTIFICATE_H
#define EPI__TLS_CERTIFICATE_H

#include "epi/addr.h"
#include "epi/error.h"

typedef struct epi__certificate epi__certificate;

enum {
  EPI__CERTIFICATE_LABEL = 128, /* room for a label with its NUL */
  EPI__CERTIFICATE_HASH = 20,   /* bytes of a digest of a name */
};

/* Read one (DER); it is copied. Returns 0, EPI_EINVAL (it is none) or
 * EPI_ENOMEM. */
int epi__certificate_read(epi__certificate **out, const void *der, size_t len);
void epi__certificate_free(epi__certificate *certificate);

/* From when until when it is good, in seconds since 1970. */
int64_t epi__certificate_begins(const epi__certificate *certificate);
int64_t epi__certificate_ends(const epi__certificate *certificate);

/* Whether it is for a host, by its alternative names alone: 2 by name or
 * address, 1 by a wildcard for the first label, 0 not. */
int epi__certificate_is_for(const epi__certificate *certificate,
                            const epi_addr *host);

/* Who has it: its first URI, else DNS name, else e-mail address, else common
 * name; and which, as "uri", "dns", "email" or "cn". out has room for size
 * bytes. Returns 0 or EPI_EAUTH: it says nothing, or too long, or what a log
 * cannot show as it is. */
int epi__certificate_identity(const epi__certificate *certificate, char *out,
                              size_t size, const char **kind_out);

/* How people call it and its issuer: printable and cut short. Return buf, of
 * EPI__CERTIFICATE_LABEL bytes. */
const char *epi__certificate_label(const epi__certificate *certificate,
                                   char *buf);
const char *epi__certificate_issuer(const epi__certificate *certificate,
                                    char *buf);

/* The hosts that it is for, for people. Returns buf. */
const char *epi__certificate_hosts(const epi__certificate *certificate,
                                   char *buf, size_t size);

/* Digests of the names of who has it and of who issued it. */
const uint8_t *epi__certificate_subject_hash(const epi__certificate *it);
const uint8_t *epi__certificate_issuer_hash(const epi__certificate *it);

/* 1 if it may issue certificates. */
int epi__certificate_is_authority(const epi__certificate *certificate);

/* Whether a private key (PEM) is its own, as far as wolfSSL does not see to it:
 * 1 if it is, or is of a kind that wolfSSL compares; 0 if not; EPI_ENOMEM. */
int epi__certificate_has_key(const epi__certificate *certificate,
                             const char *key, size_t len);

/* 1 if it is signed by a method that can be forged, and by another one than
 * itself. */
int epi__certificate_is_weak(const epi__certificate *certificate);

/* A time as people write it. Returns buf, of 32 bytes. */
const char *epi__certificate_time(int64_t seconds, char *buf);

#endif
