/* listener.c: a listener: what its URL says, and its sockets. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/dtls_door.h"
#include "engine/listener_tls.h"
#include "engine/tls_files.h"
#include "engine/worker.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

/* Which layout of SOCKS 6 is taken: a draft's unless said otherwise. */
static int read_dialect(epi__listener *listener, const char *dialect) {
  if (!(listener->accept & EPI_ACCEPT_SOCKS6)) {
    return epi__fail(EPI_EINVAL, "dialect is a setting of SOCKS 6");
  }
  if (!strcmp(dialect, "auto")) {
    listener->accept |= EPI_ACCEPT_SOCKSX;
  } else if (!strcmp(dialect, "socksx")) {
    listener->accept += EPI_ACCEPT_SOCKSX - EPI_ACCEPT_SOCKS6;
  } else if (strcmp(dialect, "draft")) {
    return epi__fail(EPI_EINVAL, "dialect is draft, socksx or auto, not %s",
                     dialect);
  }
  return 0;
}

static int read_users(epi__listener *listener, epi_engine *engine,
                      const char *file) {
  listener->users_file = epi__strdup(file);
  return listener->users_file ? epi__users_open(&listener->users, engine, file)
                              : EPI_ENOMEM;
}

static int read_tfo(epi__listener *listener, const char *number) {
  listener->tfo = epi__port_parse(number); /* it has the bounds of a port */
  return listener->tfo > 0
             ? 0
             : epi__fail(EPI_EINVAL, "tfo is from 1 to 65535, not %s", number);
}

static int read_socks(epi__listener *listener, epi_engine *engine,
                      const epi__url *url) {
  const char *version = epi__url_setting(url, "version");
  const char *draft = epi__url_setting(url, "draft");
  const char *dialect = epi__url_setting(url, "dialect");
  const char *users = epi__url_setting(url, "users");
  const char *bnd = epi__url_setting(url, "bnd");
  const char *tfo = epi__url_setting(url, "tfo");

  listener->kind = EPI__LISTEN_SOCKS;
  listener->accept = EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6;
  if (version && !strcmp(version, "5")) {
    listener->accept = EPI_ACCEPT_SOCKS5;
  } else if (version && !strcmp(version, "6")) {
    listener->accept = EPI_ACCEPT_SOCKS6;
  } else if (version) {
    return epi__fail(EPI_EINVAL, "version is 5 or 6, not %s", version);
  }
  listener->draft = EPI_SOCKS6;
  if (draft && !strcmp(draft, "12")) {
    listener->draft = EPI_SOCKS6_12;
  } else if (draft && strcmp(draft, "11")) {
    return epi__fail(EPI_EINVAL, "draft is 11 or 12, not %s", draft);
  }
  if (bnd && (epi_addr_parse(&listener->bnd, bnd, 0) ||
              listener->bnd.kind == EPI_ADDR_NAME || listener->bnd.port ||
              epi__addr_is_any(&listener->bnd))) {
    return epi__fail(EPI_EINVAL, "bnd is an IP address, not %s", bnd);
  }
  if (dialect && read_dialect(listener, dialect)) {
    return EPI_EINVAL;
  }
  if (tfo && read_tfo(listener, tfo)) {
    return EPI_EINVAL;
  }
  return users ? read_users(listener, engine, users) : 0;
}

/* The settings that a kind of listener has. */
static const char *const *settings_of(const char *scheme) {
  static const char *const socks[] = {"users", "version", "draft", "dialect",
                                      "tfo",   "bnd",     "udp",   "dtls",
                                      "cert",  "key",     "allow", NULL};
  static const char *const socks_tls[] = {
      "users", "version", "draft", "dialect", "tfo", "bnd",
      "udp",   "dtls",    "cert",  "key",     "ca",  "client",
      "crl",   "alpn",    "tls",   "allow",   NULL};
  static const char *const tcp[] = {"allow",  "to-ca",   "to-cert", "to-key",
                                    "to-crl", "to-name", NULL};
  static const char *const tls[] = {
      "cert",  "key",   "ca",      "client", "crl",    "alpn",    "tls",
      "allow", "to-ca", "to-cert", "to-key", "to-crl", "to-name", NULL};
  static const char *const any[] = {"allow", NULL};

  return !strcmp(scheme, "socks")       ? socks
         : !strcmp(scheme, "socks+tls") ? socks_tls
         : !strcmp(scheme, "tcp")       ? tcp
         : !strcmp(scheme, "tcp+tls")   ? tls
                                        : any;
}

/* A scheme, with or without TLS towards the client? */
static int is(const epi__url *url, const char *scheme) {
  size_t len = strlen(scheme);

  return !strncmp(url->scheme, scheme, len) &&
         (!url->scheme[len] || !strcmp(url->scheme + len, "+tls"));
}

static int read_reverse(epi__listener *listener, const epi__url *url) {
  listener->kind = EPI__LISTEN_REVERSE;
  listener->dest = url->dest;
  return url->dest.kind != EPI_ADDR_NONE && url->dest.port
             ? 0
             : epi__fail(EPI_EINVAL, "%s:// needs '=DEST:PORT'", url->scheme);
}

static int read_kind(epi__listener *listener, epi_engine *engine,
                     const epi__url *url) {
  const char *allow = epi__url_setting(url, "allow");
  int result = epi__url_check_settings(url, settings_of(url->scheme));

  if (result) {
    return result;
  }
  if (url->has_login) { /* nobody would be asked for it */
    return epi__fail(EPI_EINVAL, "a listener's URL has no login: users=FILE "
                                 "says who may log in");
  }
  if (allow && (result = epi__allow_read(&listener->allow, allow))) {
    return result;
  }
  if (!is(url, "tcp") && url->dest.kind != EPI_ADDR_NONE) {
    return epi__fail(EPI_EINVAL, "only tcp:// takes '=DEST:PORT'");
  }
  if (is(url, "socks")) {
    return read_socks(listener, engine, url);
  }
  if (is(url, "tcp")) {
    return read_reverse(listener, url);
  }
  if (!strcmp(url->scheme, "redirect")) {
    listener->kind = EPI__LISTEN_REDIRECT;
    return 0;
  }
  if (!strcmp(url->scheme, "tproxy")) {
    return epi__fail(EPI_ENOTSUP, "%s:// is not in this version", url->scheme);
  }
  return epi__fail(EPI_EINVAL,
                   "a listener is socks://, socks+tls://, tcp://, tcp+tls:// "
                   "or redirect://, not %s://",
                   url->scheme);
}

static int resolve_local(epi_addr *addr) {
  if (addr->kind == EPI_ADDR_NAME && !strcmp(addr->name, "localhost")) {
    return epi_addr_parse(addr, "127.0.0.1", addr->port);
  }
  return addr->kind == EPI_ADDR_NAME
             ? epi__fail(EPI_EINVAL, "listen on an IP address, not on a name")
             : 0;
}

/* A socket for each worker, all on one port. The first one is bound alone, to
 * see whether another process has the port: sharing would succeed silently. */
static int bind_all(epi__listener *listener, const epi_addr *addr,
                    int workers) {
  epi_addr bound = *addr;
  int fd;
  int result = epi__sock_listen(addr, 0, &fd);

  if (result) {
    return result;
  }
  if (workers == 1) {
    listener->fds[listener->fd_count++] = fd;
    return epi__sock_local(fd, &listener->addr);
  }
  result = epi__sock_local(fd, &bound);
  epi__sock_close(fd, 0);
  for (int i = 0; i < workers && !result; i++) {
    result = epi__sock_listen(&bound, 1, &listener->fds[i]);
    listener->fd_count += !result;
  }
  listener->addr = bound;
  return result;
}

/* Take the sockets that the engine was given for the address, or bind some. */
static int take_or_bind(epi__listener *listener, epi_engine *engine,
                        const epi_addr *addr) {
  int result =
      epi__adopted_take(engine, 0, addr, listener->fds, &listener->fd_count);

  if (result) {
    return result;
  }
  return listener->fd_count
             ? epi__sock_local(listener->fds[0], &listener->addr)
             : bind_all(listener, addr, epi__workers_sockets(engine));
}

/* The ports for datagrams. */
static int bind_udp(epi__listener *listener, epi_engine *engine,
                    const epi__url *url) {
  const char *udp = epi__url_setting(url, "udp");
  const char *dtls = epi__url_setting(url, "dtls");
  int port = udp ? epi__port_parse(udp) : 0;
  int dtls_port = dtls ? epi__port_parse(dtls) : 0;
  int result = 0;

  if (port < 0 || dtls_port < 0) {
    return EPI_EINVAL;
  }
  if (udp) {
    result = epi__udp_door_bind(listener, engine, (uint16_t)port);
  }
  return result || !dtls
             ? result
             : epi__dtls_door_bind(listener, engine, (uint16_t)dtls_port,
                                   epi__url_setting(url, "cert"),
                                   epi__url_setting(url, "key"));
}

static int make_doors(epi__listener *listener) {
  listener->doors = epi__alloc_array(EPI__WORKERS_MAX, sizeof *listener->doors);
  return listener->doors ? 0 : EPI_ENOMEM;
}

static int use_tfo(const epi__listener *listener) {
  int result = 0;

  for (int i = 0; i < listener->fd_count && !result && listener->tfo; i++) {
    result = epi__sock_accept_fast(listener->fds[i], listener->tfo);
  }
  return result;
}

static int make_name(epi__listener *listener, const epi__url *url) {
  char text[2 * EPI_ADDR_TEXT_MAX + 32];
  epi__addr_buf addr, dest;

  snprintf(text, sizeof text, "%s://%s%s%s", url->scheme,
           epi__addr_text(&listener->addr, &addr),
           listener->kind != EPI__LISTEN_REVERSE ? ""
           : listener->dest_tls                  ? "=tls://"
                                                 : "=",
           listener->kind == EPI__LISTEN_REVERSE
               ? epi__addr_text(&listener->dest, &dest)
               : "");
  listener->name = epi__strdup(text);
  return listener->name ? 0 : EPI_ENOMEM;
}

int epi__listener_new(epi__listener **out, epi_engine *engine,
                      const char *text) {
  epi__listener *listener = epi__alloc(sizeof *listener);
  epi__url url;
  int result;

  if (!listener) {
    return EPI_ENOMEM;
  }
  atomic_init(&listener->references, 1);
  result = epi__url_parse(&url, text);
  if (!result) {
    result = resolve_local(&url.addr);
  }
  if (!result) {
    result = read_kind(listener, engine, &url);
  }
  if (!result) {
    result = epi__listener_read_tls(listener, engine, &url);
  }
  if (!result) {
    result = take_or_bind(listener, engine, &url.addr);
  }
  if (!result) {
    result = bind_udp(listener, engine, &url);
  }
  if (!result) {
    result = use_tfo(listener);
  }
  if (!result) {
    result = make_name(listener, &url);
  }
  if (!result && !(listener->url = epi__strdup(text))) {
    result = EPI_ENOMEM;
  }
  if (!result) {
    result = make_doors(listener);
  }
  if (result) {
    epi__listener_free(listener);
    return result;
  }
  *out = listener;
  return 0;
}

int epi__listener_new_port(epi__listener **out, epi_engine *engine,
                           const epi_addr *addr) {
  epi__listener *listener = epi__alloc(sizeof *listener);
  epi__addr_buf text;
  char name[sizeof text.text + 8];
  int result;

  if (!listener) {
    return EPI_ENOMEM;
  }
  atomic_init(&listener->references, 1);
  listener->kind = EPI__LISTEN_PORT;
  result = take_or_bind(listener, engine, addr);
  snprintf(name, sizeof name, "port %s", epi__addr_text(addr, &text));
  if (!result && !(listener->name = epi__strdup(name))) {
    result = EPI_ENOMEM;
  }
  if (!result) {
    result = make_doors(listener);
  }
  if (result) {
    epi__listener_free(listener);
    return result;
  }
  *out = listener;
  return 0;
}

epi__listener *epi__listener_ref(epi__listener *listener) {
  atomic_fetch_add(&listener->references, 1);
  return listener;
}

void epi__listener_close(epi__listener *listener) {
  while (listener->fd_count) {
    epi__sock_close(listener->fds[--listener->fd_count], 0);
  }
  epi__udp_close_all(&listener->udp_port);
  epi__udp_close_all(&listener->dtls_port);
}

void epi__listener_free(epi__listener *listener) {
  if (!listener || atomic_fetch_sub(&listener->references, 1) > 1) {
    return;
  }
  epi__listener_close(listener);
  epi__dtls_server_free(listener->dtls);
  epi__sessions_free(listener->sessions);
  epi__tls_files_free(listener->tls);
  epi__tls_files_free(listener->dest_tls);
  epi__free(listener->dest_name);
  epi__users_close(listener->users);
  epi__allow_free(listener->allow);
  epi__free(listener->users_file);
  epi__free(listener->doors);
  epi__free(listener->name);
  epi__free(listener->url);
  epi__free(listener);
}
