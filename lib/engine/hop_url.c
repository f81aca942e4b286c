/* hop_url.c: the proxies and functions that flows are sent through. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

enum {
  CREDENTIALS_MAX = 1024,
};

static int version_of(const epi__url *url) {
  const char *draft = epi__url_setting(url, "draft");
  const char *dialect = epi__url_setting(url, "dialect");

  if (!strcmp(url->scheme, "socks5")) {
    return draft || dialect
               ? epi__fail(EPI_EINVAL,
                           "draft and dialect are settings of socks6://")
               : EPI_SOCKS5;
  }
  if (!strcmp(url->scheme, "socks5+tls") ||
      !strcmp(url->scheme, "socks6+tls")) {
    return epi__fail(EPI_ENOTSUP, "%s:// hops are not in this version",
                     url->scheme);
  }
  if (strcmp(url->scheme, "socks6")) {
    return epi__fail(EPI_EINVAL,
                     "a hop is socks5://HOST:PORT or "
                     "socks6://HOST:PORT, not %s://",
                     url->scheme);
  }
  if (dialect && !strcmp(dialect, "socksx")) {
    return draft ? epi__fail(EPI_EINVAL, "socksx's dialect has no draft")
                 : EPI_SOCKSX;
  }
  if (dialect && strcmp(dialect, "draft")) {
    return epi__fail(EPI_EINVAL,
                     "the dialect of a hop is draft or socksx, "
                     "not %s",
                     dialect);
  }
  if (!draft || !strcmp(draft, "11")) {
    return EPI_SOCKS6;
  }
  return !strcmp(draft, "12")
             ? EPI_SOCKS6_12
             : epi__fail(EPI_EINVAL, "draft is 11 or 12, not %s", draft);
}

static int read_credentials(epi__url *url, const char *path) {
  char *text = NULL;
  char *password;
  size_t len = 0;
  int result = epi__file_read(path, CREDENTIALS_MAX, 1, &text, &len);

  if (result) {
    return result;
  }
  text[strcspn(text, "\r\n")] = '\0';
  password = strchr(text, ':');
  if (!password || password == text || password - text > EPI_LOGIN_MAX ||
      strlen(password + 1) > EPI_LOGIN_MAX) {
    result = epi__fail(EPI_EINVAL, "%s: not one line USER:PASSWORD", path);
  } else {
    *password++ = '\0';
    memcpy(url->user, text, strlen(text) + 1);
    memcpy(url->password, password, strlen(password) + 1);
    url->has_login = 1;
  }
  epi_wipe(text, len);
  epi__free(text);
  return result;
}

/* The hop as a URL. NULL when out of memory. */
static char *link_of(const epi__hop *hop) {
  char text[EPI_ADDR_TEXT_MAX + 64];
  epi__addr_buf addr;

  snprintf(text, sizeof text, "%s://%s%s",
           hop->version == EPI_SOCKS5 ? "socks5" : "socks6",
           epi__addr_text(&hop->addr, &addr),
           hop->version == EPI_SOCKS6_12 ? "?draft=12"
           : hop->version == EPI_SOCKSX  ? "?dialect=socksx"
                                         : "");
  return epi__strdup(text);
}

static int fill(epi__hop *hop, const epi__url *url) {
  hop->addr = url->addr;
  hop->link = link_of(hop);
  if (url->has_login) {
    hop->user = epi__strdup(url->user);
    hop->password = epi__strdup(url->password);
  }
  if (!hop->link || (url->has_login && (!hop->user || !hop->password))) {
    epi__hop_clear(hop);
    return EPI_ENOMEM;
  }
  return 0;
}

int epi__hop_read(epi__hop *out, const char *text, int ours) {
  static const char *const known[] = {"draft", "dialect", "credentials", NULL};
  static const char *const foreign[] = {"draft", "dialect", NULL};
  const char *credentials;
  epi__hop hop = {0};
  epi__url url;
  int result = epi__url_parse(&url, text);

  if (!result) {
    result = hop.version = version_of(&url);
    result = result > 0 ? epi__url_check_settings(&url, ours ? known : foreign)
                        : result;
  }
  credentials = result ? NULL : epi__url_setting(&url, "credentials");
  if (credentials) {
    result = read_credentials(&url, credentials);
  }
  if (!result) {
    result = fill(&hop, &url);
  }
  epi_wipe(&url, sizeof url);
  if (!result) {
    *out = hop;
  }
  return result;
}

int epi__hop_use_socksx(epi__hop *hop, const char *url) {
  char *link;

  if (hop->version != EPI_SOCKS6 || strchr(url, '?')) {
    return 0;
  }
  hop->version = EPI_SOCKSX;
  link = link_of(hop);
  if (!link) {
    return EPI_ENOMEM;
  }
  epi__free(hop->link);
  hop->link = link;
  return 0;
}

int epi__hop_copy(epi__hop *out, const epi__hop *hop) {
  epi__hop copy = {.version = hop->version, .addr = hop->addr};

  copy.link = epi__strdup(hop->link);
  copy.user = hop->user ? epi__strdup(hop->user) : NULL;
  copy.password = hop->password ? epi__strdup(hop->password) : NULL;
  if (!copy.link || (hop->user && (!copy.user || !copy.password))) {
    epi__hop_clear(&copy);
    return EPI_ENOMEM;
  }
  *out = copy;
  return 0;
}

void epi__hop_clear(epi__hop *hop) {
  if (hop->password) {
    epi_wipe(hop->password, strlen(hop->password));
  }
  epi__free(hop->user);
  epi__free(hop->password);
  epi__free(hop->link);
  memset(hop, 0, sizeof *hop);
}
