/* tls_certificate.c: certificates are read by wolfCrypt, without judging who
 * signed them. */
#include "tls/tls_certificate.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct epi__certificate {
  DecodedCert decoded; /* points into der */
  int64_t begins, ends;
  int is_decoded;
  uint8_t der[];
};

/* A date as it is in a certificate, with its tag and length. Returns 0 or
 * EPI_EINVAL. */
static int read_date(const byte *date, int len, int64_t *out) {
  const byte *text = NULL;
  byte format = 0;
  int text_len = 0;
  struct tm utc = {0};

  if (!date || wc_GetDateInfo(date, len, &text, &format, &text_len) ||
      wc_GetDateAsCalendarTime(text, text_len, format, &utc)) {
    return EPI_EINVAL;
  }
  *out = (int64_t)timegm(&utc);
  return 0;
}

int epi__certificate_read(epi__certificate **out, const void *der, size_t len) {
  epi__certificate *certificate;
  DecodedCert *decoded;

  if (!len || len > UINT16_MAX) {
    return epi__fail(EPI_EINVAL, "no certificate");
  }
  certificate = epi__alloc(sizeof *certificate + len);
  if (!certificate) {
    return EPI_ENOMEM;
  }
  memcpy(certificate->der, der, len);
  decoded = &certificate->decoded;
  wc_InitDecodedCert(decoded, certificate->der, (word32)len, NULL);
  certificate->is_decoded = 1;
  if (wc_ParseCert(decoded, CERT_TYPE, NO_VERIFY, NULL) ||
      read_date(decoded->beforeDate, decoded->beforeDateLen,
                &certificate->begins) ||
      read_date(decoded->afterDate, decoded->afterDateLen,
                &certificate->ends)) {
    epi__certificate_free(certificate);
    return epi__fail(EPI_EINVAL, "a certificate that cannot be read");
  }
  *out = certificate;
  return 0;
}

void epi__certificate_free(epi__certificate *certificate) {
  if (certificate) {
    if (certificate->is_decoded) {
      wc_FreeDecodedCert(&certificate->decoded);
    }
    epi__free(certificate);
  }
}

int64_t epi__certificate_begins(const epi__certificate *certificate) {
  return certificate->begins;
}

int64_t epi__certificate_ends(const epi__certificate *certificate) {
  return certificate->ends;
}

/* RFC 6125 section 6.4: a wildcard stands for the whole first label, and not
 * right below the top. The host is in lower case. */
static int match_name(const char *pattern, size_t len, const char *host) {
  const char *rest;

  if (strlen(host) == len && !strncasecmp(pattern, host, len)) {
    return 2;
  }
  rest = strchr(host, '.');
  if (len < 3 || pattern[0] != '*' || pattern[1] != '.' || !rest ||
      rest == host || !strchr(rest + 1, '.')) {
    return 0;
  }
  return strlen(rest) == len - 1 && !strncasecmp(pattern + 1, rest, len - 1);
}

int epi__certificate_is_for(const epi__certificate *certificate,
                            const epi_addr *host) {
  size_t ip_len = host->kind == EPI_ADDR_IPV6 ? 16 : 4;
  const DNS_entry *at;
  int best = 0;

  for (at = certificate->decoded.altNames; at && best < 2; at = at->next) {
    size_t len = at->len > 0 ? (size_t)at->len : 0;
    int match = 0;

    if (host->kind == EPI_ADDR_NAME && at->type == ASN_DNS_TYPE) {
      match = match_name(at->name, len, host->name);
    } else if (host->kind != EPI_ADDR_NAME && at->type == ASN_IP_TYPE) {
      match = len == ip_len && !memcmp(at->name, host->ip, len) ? 2 : 0;
    }
    best = match > best ? match : best;
  }
  return best;
}

/* A name as it is. Returns 0 or EPI_EAUTH: it does not fit, or holds what a
 * log would not show, and so could be taken for another one. */
static int copy_name(char *out, size_t size, const char *name, int len) {
  char shown[1024];
  size_t at, step;

  if (len <= 0 || (size_t)len >= size || (size_t)len >= sizeof shown) {
    return EPI_EAUTH;
  }
  memcpy(out, name, (size_t)len);
  out[len] = '\0';
  for (at = 0; at < (size_t)len; at += step) {
    step = epi__utf8_len((const uint8_t *)out + at, (size_t)len - at);
    if (!step) {
      return EPI_EAUTH;
    }
  }
  return strcmp(epi__printable(shown, sizeof shown, out), out) ? EPI_EAUTH : 0;
}

static const DNS_entry *first_of(const DNS_entry *list, int type) {
  while (list && list->type != type) {
    list = list->next;
  }
  return list;
}

int epi__certificate_identity(const epi__certificate *certificate, char *out,
                              size_t size, const char **kind_out) {
  const DecodedCert *decoded = &certificate->decoded;
  const DNS_entry *uri = first_of(decoded->altNames, ASN_URI_TYPE);
  const DNS_entry *dns = first_of(decoded->altNames, ASN_DNS_TYPE);
  const DNS_entry *email = first_of(decoded->altEmailNames, ASN_RFC822_TYPE);
  const DNS_entry *found = uri ? uri : dns ? dns : email;
  const char *name = found ? found->name : decoded->subjectCN;
  int len = found ? found->len : decoded->subjectCNLen;

  if (!name || copy_name(out, size, name, len)) {
    return epi__fail(EPI_EAUTH,
                     "the peer's certificate has no name that can be used: "
                     "it is missing, too long, or not printable");
  }
  *kind_out = uri ? "uri" : dns ? "dns" : email ? "email" : "cn";
  return 0;
}

static const char *label(char *buf, const char *cn, int cn_len,
                         const char *whole) {
  char text[EPI__CERTIFICATE_LABEL] = "";
  size_t len = cn && cn_len > 0 ? (size_t)cn_len : 0;

  if (len) {
    snprintf(text, sizeof text, "%.*s", (int)len, cn);
  } else {
    snprintf(text, sizeof text, "%s", whole);
  }
  epi__printable(buf, EPI__CERTIFICATE_LABEL, *text ? text : "(no name)");
  return buf;
}

const char *epi__certificate_label(const epi__certificate *certificate,
                                   char *buf) {
  const DecodedCert *decoded = &certificate->decoded;
  const DNS_entry *first = decoded->altNames;

  if (!decoded->subjectCN && first && first->type != ASN_IP_TYPE) {
    return label(buf, first->name, first->len, "");
  }
  return label(buf, decoded->subjectCN, decoded->subjectCNLen,
               decoded->subject);
}

const char *epi__certificate_issuer(const epi__certificate *certificate,
                                    char *buf) {
  const DecodedCert *decoded = &certificate->decoded;

  return label(buf, decoded->issuerCN, decoded->issuerCNLen, decoded->issuer);
}

const char *epi__certificate_hosts(const epi__certificate *certificate,
                                   char *buf, size_t size) {
  char text[512] = "";
  size_t used = 0;
  const DNS_entry *at;

  for (at = certificate->decoded.altNames; at; at = at->next) {
    int is_ip = at->type == ASN_IP_TYPE;
    const char *name = is_ip ? at->ipString : at->name;
    int len = is_ip && name ? (int)strlen(name) : at->len;

    if (name && (is_ip || at->type == ASN_DNS_TYPE)) {
      int more = snprintf(text + used, sizeof text - used, "%s%.*s",
                          used ? ", " : "", len, name);
      used += more > 0 ? (size_t)more : 0;
    }
    if (used >= sizeof text) {
      break;
    }
  }
  epi__printable(buf, size, used ? text : "no host");
  return buf;
}

const uint8_t *epi__certificate_subject_hash(const epi__certificate *it) {
  return it->decoded.subjectHash;
}

const uint8_t *epi__certificate_issuer_hash(const epi__certificate *it) {
  return it->decoded.issuerHash;
}

int epi__certificate_is_authority(const epi__certificate *certificate) {
  return certificate->decoded.isCA;
}

/* The public point that belongs to a private key. Returns its length, or 0. */
static word32 point_of(const byte *der, word32 der_len, byte *point,
                       word32 size) {
  word32 at = 0;
  ecc_key key;
  int failed;

  if (wc_ecc_init(&key)) {
    return 0;
  }
  failed = wc_EccPrivateKeyDecode(der, &at, &key, der_len) ||
           wc_ecc_make_pub(&key, NULL) ||
           wc_ecc_export_x963(&key, point, &size);
  wc_ecc_free(&key);
  return failed ? 0 : size;
}

/* The end of the public key in a certificate is the point. */
int epi__certificate_has_key(const epi__certificate *certificate,
                             const char *key, size_t len) {
  const DecodedCert *decoded = &certificate->decoded;
  byte point[2 * MAX_ECC_BYTES + 1], *der;
  word32 point_len = 0;
  int der_len, fits;

  if (decoded->keyOID != ECDSAk) {
    return 1;
  }
  der = epi__alloc(len);
  if (!der) {
    return EPI_ENOMEM;
  }
  der_len = wc_KeyPemToDer((const byte *)key, (int)len, der, (int)len, NULL);
  if (der_len > 0) {
    point_len = point_of(der, (word32)der_len, point, sizeof point);
  }
  epi_wipe(der, len);
  epi__free(der);
  fits = point_len && point_len <= decoded->pubKeySize &&
         !memcmp(decoded->publicKey + decoded->pubKeySize - point_len, point,
                 point_len);
  return fits;
}

int epi__certificate_is_weak(const epi__certificate *certificate) {
  if (certificate->decoded.selfSigned) {
    return 0; /* it is trusted for what it is, not for its signature */
  }
  switch (certificate->decoded.signatureOID) {
  case CTC_MD2wRSA:
  case CTC_MD5wRSA:
  case CTC_SHAwRSA:
  case CTC_SHAwDSA:
  case CTC_SHAwECDSA:
    return 1;
  default:
    return 0;
  }
}

const char *epi__certificate_time(int64_t seconds, char *buf) {
  time_t at = (time_t)seconds;
  struct tm utc;

  if (!gmtime_r(&at, &utc) || !strftime(buf, 32, "%Y-%m-%d %H:%M UTC", &utc)) {
    strcpy(buf, "an unknown time");
  }
  return buf;
}
