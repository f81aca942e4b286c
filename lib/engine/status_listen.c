/* status_listen.c: where status is served: at an address, or at a path. */
#include "engine/status.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

static const char unix_scheme[] = "unix:";

/* HOST:PORT, or the same as a URL. */
static int read_url(epi__status_place *out, const char *text) {
  static const char *const known[] = {"anyone", NULL};
  const char *anyone;
  epi__url url;
  char whole[EPI__URL_MAX];
  int result;

  snprintf(whole, sizeof whole, "%s%s", strstr(text, "://") ? "" : "http://",
           text);
  result = epi__url_parse(&url, whole);
  if (!result && (strcmp(url.scheme, "http") || url.has_login ||
                  url.dest.kind != EPI_ADDR_NONE)) {
    result = epi__fail(EPI_EINVAL,
                       "status is served at http://HOST:PORT or unix:PATH");
  }
  if (!result) {
    result = epi__url_check_settings(&url, known);
  }
  if (result) {
    return result;
  }
  anyone = epi__url_setting(&url, "anyone");
  if (anyone && strcmp(anyone, "yes")) {
    return epi__fail(EPI_EINVAL, "anyone is yes, or left out");
  }
  out->anyone = anyone != NULL;
  out->addr = url.addr;
  if (url.addr.kind == EPI_ADDR_NAME && !strcmp(url.addr.name, "localhost")) {
    return epi_addr_parse(&out->addr, "127.0.0.1", url.addr.port);
  }
  return url.addr.kind == EPI_ADDR_NAME
             ? epi__fail(EPI_EINVAL, "listen on an IP address, not on a name")
             : 0;
}

static int check_addr(const epi__status_place *place) {
  epi__addr_buf text;

  return place->anyone || epi__addr_is_loopback(&place->addr)
             ? 0
             : epi__fail(EPI_EPERM,
                         "%s can be reached by others, and status has no "
                         "login: add ?anyone=yes if that is meant",
                         epi__addr_text(&place->addr, &text));
}

/* A socket that was given for the address, or a new one. */
static int listen_at(epi__status_place *place, epi_engine *engine) {
  int fds[EPI__WORKERS_MAX];
  int count = 0;
  int result = epi__adopted_take(engine, 0, &place->addr, fds, &count);

  for (int i = result ? 0 : 1; i < count; i++) {
    epi__sock_close(fds[i], 0);
  }
  if (result) {
    return result;
  }
  if (count) {
    place->fd = fds[0];
  } else {
    result = epi__sock_listen(&place->addr, 0, &place->fd);
  }
  return result ? result : epi__sock_local(place->fd, &place->addr);
}

/* The door keeps a descriptor, and knows its file when it is closed. */
static int listen_at_path(epi__status_place *place, const char *path) {
  int result;

  place->path = epi__strdup(path);
  if (!place->path) {
    return EPI_ENOMEM;
  }
  result = epi__unix_listen(&place->door, path);
  return result ? result : epi__sock_copy(place->door.fd, &place->fd);
}

int epi__status_listen(epi__status_place *out, epi_engine *engine,
                       const char *url) {
  int result;

  memset(out, 0, sizeof *out);
  out->fd = out->door.fd = -1;
  if (!strncmp(url, unix_scheme, sizeof unix_scheme - 1)) {
    return listen_at_path(out, url + sizeof unix_scheme - 1);
  }
  result = read_url(out, url);
  if (!result) {
    result = check_addr(out);
  }
  return result ? result : listen_at(out, engine);
}

void epi__status_unlisten(epi__status_place *place) {
  epi__sock_close(place->fd, 0);
  if (place->path) {
    epi__unix_close(&place->door, place->path);
    epi__free(place->path);
  }
}
