/* hop_url.c: the proxies and functions that flows are sent through. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/tls_table.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

enum {
  CREDENTIALS_MAX = 1024,
};

static int has_tls(const epi__url *url) {
  return !strcmp(url->scheme, "socks5+tls") ||
         !strcmp(url->scheme, "socks6+tls");
}

static int version_of(const epi__url *url) {
  const char *draft = epi__url_setting(url, "draft");
  const char *dialect = epi__url_setting(url, "dialect");

  if (!strncmp(url->scheme, "socks5", 6) && (has_tls(url) || !url->scheme[6])) {
    return draft || dialect
               ? epi__fail(EPI_EINVAL,
                           "draft and dialect are settings of socks6://")
               : EPI_SOCKS5;
  }
  if (strcmp(url->scheme, "socks6") && !has_tls(url)) {
    return epi__fail(EPI_EINVAL,
                     "a hop is socks5://HOST:PORT, socks6://HOST:PORT, or "
                     "these with +tls, not %s://",
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
  char text[EPI_ADDR_TEXT_MAX + EPI_NAME_MAX + 80];
  const char *layout = hop->version == EPI_SOCKS6_12 ? "?draft=12"
                       : hop->version == EPI_SOCKSX  ? "?dialect=socksx"
                                                     : "";
  epi__addr_buf addr;

  snprintf(text, sizeof text, "%s%s://%s%s%s%s",
           hop->version == EPI_SOCKS5 ? "socks5" : "socks6",
           hop->tls ? "+tls" : "", epi__addr_text(&hop->addr, &addr), layout,
           !hop->tls_name ? ""
           : *layout      ? "&name="
                          : "?name=",
           hop->tls_name ? hop->tls_name : "");
  return epi__strdup(text);
}

/* It goes into links, too: nothing in it may mean anything there. */
static int read_name(epi__hop *hop, const epi__url *url) {
  static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
  const char *name = epi__url_setting(url, "name");

  if (!name) {
    return 0;
  }
  if (!*name || strlen(name) > EPI_NAME_MAX ||
      strspn(name, good) != strlen(name)) {
    return epi__fail(EPI_EINVAL, "name is a host's name or address");
  }
  hop->tls_name = epi__strdup(name);
  return hop->tls_name ? 0 : EPI_ENOMEM;
}

static int read_tls(epi__hop *hop, const epi_engine *engine,
                    const epi__url *url, int ours) {
  int result;

  if (!has_tls(url)) {
    return 0;
  }
  result = epi__tls_table_client(engine->tls, url, ours, &hop->tls);
  return result ? result : read_name(hop, url);
}

static int fill(epi__hop *hop, const epi__url *url) {
  hop->addr = url->addr;
  hop->link = link_of(hop);
  if (url->has_login) {
    hop->user = epi__strdup(url->user);
    hop->password = epi__strdup(url->password);
  }
  return !hop->link || (url->has_login && (!hop->user || !hop->password))
             ? EPI_ENOMEM
             : 0;
}

/* Which settings a URL may have: files are for this machine's own alone. */
static int check_settings(const epi__url *url, int ours) {
  static const char *const plain[] = {"draft", "dialect", "credentials", NULL};
  static const char *const tls[] = {"draft",  "dialect", "credentials", "name",
                                    "ca",     "cert",    "key",         "crl",
                                    "staple", "tls",     NULL};
  static const char *const foreign[] = {"draft", "dialect", NULL};
  static const char *const foreign_tls[] = {"draft", "dialect", "name", NULL};

  return epi__url_check_settings(url, has_tls(url) ? ours ? tls : foreign_tls
                                      : ours       ? plain
                                                   : foreign);
}

int epi__hop_read(epi__hop *out, const epi_engine *engine, const char *text,
                  int ours) {
  const char *credentials;
  epi__hop hop = {0};
  epi__url url;
  int result = epi__url_parse(&url, text);

  if (!result) {
    result = hop.version = version_of(&url);
    result = result > 0 ? check_settings(&url, ours) : result;
  }
  credentials = result ? NULL : epi__url_setting(&url, "credentials");
  if (credentials) {
    result = read_credentials(&url, credentials);
  }
  if (!result) {
    result = read_tls(&hop, engine, &url, ours);
  }
  if (!result) {
    result = fill(&hop, &url);
  }
  epi_wipe(&url, sizeof url);
  if (result) {
    epi__hop_clear(&hop);
  } else {
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
  copy.tls = hop->tls ? epi__tls_files_ref(hop->tls) : NULL;
  copy.tls_name = hop->tls_name ? epi__strdup(hop->tls_name) : NULL;
  if (!copy.link || (hop->user && (!copy.user || !copy.password)) ||
      (hop->tls_name && !copy.tls_name)) {
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
  epi__free(hop->tls_name);
  epi__tls_files_free(hop->tls);
  memset(hop, 0, sizeof *hop);
}
