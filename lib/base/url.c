/* url.c: the URLs of listeners, hops and endpoints. */
#include "base/fail.h"
#include "base/net.h"

#include <stdio.h>
#include <string.h>

/* Undo %XX in place. Returns 0 or EPI_EINVAL. */
static int undo_percent(char *text) {
  static const char digits[] = "0123456789abcdef";
  char *out = text;

  for (; *text; text++) {
    if (*text == '%') {
      const char *high = text[1] ? strchr(digits, text[1] | 0x20) : NULL;
      const char *low = high && text[2] ? strchr(digits, text[2] | 0x20) : NULL;
      int byte = low ? (int)((high - digits) * 16 + (low - digits)) : 0;

      if (!byte) {
        return epi__fail(EPI_EINVAL, "'%%' without two hexadecimal digits");
      }
      *out++ = (char)byte;
      text += 2;
    } else {
      *out++ = *text;
    }
  }
  *out = '\0';
  return 0;
}

static int read_settings(epi__url *url, char *query) {
  while (query && *query) {
    char *next = strchr(query, '&');
    char *value = strchr(query, '=');

    if (next) {
      *next++ = '\0';
    }
    if (!value || (next && value >= next)) {
      return epi__fail(EPI_EINVAL, "setting '%s' has no '=VALUE'", query);
    }
    *value++ = '\0';
    if (url->setting_count == EPI__URL_SETTINGS) {
      return epi__fail(EPI_EINVAL, "more than %d settings", EPI__URL_SETTINGS);
    }
    if (undo_percent(value)) {
      return EPI_EINVAL;
    }
    if (epi__url_setting(url, query)) {
      return epi__fail(EPI_EINVAL, "setting '%s' is there twice", query);
    }
    url->settings[url->setting_count].key = query;
    url->settings[url->setting_count++].value = value;
    query = next;
  }
  return 0;
}

static int read_login(epi__url *url, char *login) {
  char *password = strchr(login, ':');

  if (!password) {
    return epi__fail(EPI_EINVAL, "a login is USER:PASSWORD");
  }
  *password++ = '\0';
  if (undo_percent(login) || undo_percent(password)) {
    return EPI_EINVAL;
  }
  if (!*login || strlen(login) > EPI_NAME_MAX ||
      strlen(password) > EPI_NAME_MAX) {
    return epi__fail(EPI_EINVAL, "user and password have 1 to %d bytes",
                     EPI_NAME_MAX);
  }
  memcpy(url->user, login, strlen(login) + 1);
  memcpy(url->password, password, strlen(password) + 1);
  url->has_login = 1;
  return 0;
}

static int read_url(epi__url *url) {
  static const char tls[] = "tls://";
  char *rest = strstr(url->text, "://");
  char *query, *dest, *at;

  if (!rest || rest == url->text ||
      (size_t)(rest - url->text) >= sizeof url->scheme) {
    return epi__fail(EPI_EINVAL, "a URL is SCHEME://HOST:PORT");
  }
  memcpy(url->scheme, url->text, (size_t)(rest - url->text));
  rest += 3;
  query = strchr(rest, '?');
  if (query) {
    *query++ = '\0';
  }
  at = strrchr(rest, '@');
  if (at) {
    *at = '\0';
    if (read_login(url, rest)) {
      return EPI_EINVAL;
    }
    rest = at + 1;
  }
  dest = strchr(rest, '=');
  if (dest) {
    *dest++ = '\0';
    url->dest_tls = !strncmp(dest, tls, sizeof tls - 1);
    dest += url->dest_tls ? sizeof tls - 1 : 0;
    if (epi_addr_parse(&url->dest, dest, -1)) {
      return EPI_EINVAL;
    }
  }
  if (*rest && rest[strlen(rest) - 1] == '/') {
    rest[strlen(rest) - 1] = '\0';
  }
  if (epi_addr_parse(&url->addr, rest, -1)) {
    return EPI_EINVAL;
  }
  return read_settings(url, query);
}

int epi__url_parse(epi__url *out, const char *text) {
  size_t len = strlen(text);

  memset(out, 0, sizeof *out);
  if (len >= sizeof out->text) {
    return epi__fail(EPI_EINVAL, "a URL of %zu bytes is too long", len);
  }
  memcpy(out->text, text, len + 1);
  return read_url(out);
}

const char *epi__url_setting(const epi__url *url, const char *key) {
  for (size_t i = 0; i < url->setting_count; i++) {
    if (!strcmp(url->settings[i].key, key)) {
      return url->settings[i].value;
    }
  }
  return NULL;
}

int epi__url_check_settings(const epi__url *url, const char *const *known) {
  for (size_t i = 0; i < url->setting_count; i++) {
    size_t k = 0;

    while (known[k] && strcmp(known[k], url->settings[i].key)) {
      k++;
    }
    if (!known[k]) {
      return epi__fail(EPI_EINVAL, "no setting '%s' for %s://",
                       url->settings[i].key, url->scheme);
    }
  }
  return 0;
}

const char *epi__url_public(const char *text, char *buf, size_t size) {
  const char *start = strstr(text, "://");
  const char *at = strrchr(text, '@');

  if (start && at && at > start) {
    snprintf(buf, size, "%.*s***%s", (int)(start + 3 - text), text, at);
  } else {
    snprintf(buf, size, "%s", text);
  }
  return buf;
}
