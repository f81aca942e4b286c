/* listener_tls.c: what listeners say about TLS, and their flows' sessions. */
#include "engine/listener_tls.h"

#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/flow.h"
#include "engine/leg_tls.h"
#include "engine/tls_table.h"

#include <inttypes.h>
#include <string.h>

static int has_tls(const epi__url *url) {
  return !strcmp(url->scheme, "socks+tls") || !strcmp(url->scheme, "tcp+tls");
}

/* What is said of TLS to a destination that has none would be forgotten. */
static int check_dest(const epi__url *url) {
  for (size_t i = 0; i < url->setting_count; i++) {
    if (!url->dest_tls && !strncmp(url->settings[i].key, "to-", 3)) {
      return epi__fail(EPI_EINVAL, "%s is for a destination =tls://HOST:PORT",
                       url->settings[i].key);
    }
  }
  return 0;
}

static int read_dest(epi__listener *listener, epi_engine *engine,
                     const epi__url *url) {
  const char *name = epi__url_setting(url, "to-name");
  int result = check_dest(url);

  if (result || !url->dest_tls) {
    return result;
  }
  if (name && !(listener->dest_name = epi__strdup(name))) {
    return EPI_ENOMEM;
  }
  return epi__tls_table_dest(engine->tls, url, &listener->dest_tls);
}

int epi__listener_read_tls(epi__listener *listener, epi_engine *engine,
                           const epi__url *url) {
  int result = has_tls(url)
                   ? epi__tls_table_server(engine->tls, url, &listener->tls)
                   : 0;

  return result ? result : read_dest(listener, engine, url);
}

int epi__listener_secure(epi_flow *flow) {
  epi__tls_context *context;
  epi__tls *session = NULL;
  int result;

  if (!flow->listener->tls) {
    return 0;
  }
  context = epi__tls_files_context(flow->listener->tls);
  result = epi__tls_new(&session, context, NULL, 0);
  epi__tls_context_free(context);
  return result ? result : epi__leg_secure(&flow->legs[EPI_FORWARD], session);
}

int epi__listener_know(epi_flow *flow) {
  const epi__leg_tls *tls = flow->legs[EPI_FORWARD].tls;
  const char *name, *asked, *alpn;

  if (!tls || flow->subject) {
    return 0;
  }
  name = epi__tls_peer(tls->session);
  asked = epi__tls_server_name(tls->session);
  alpn = epi__tls_alpn(tls->session);
  epi__log(flow->worker->engine, *name ? EPI_LOG_NOTE : EPI_LOG_DEBUG,
           "flow %" PRId64 ": %s, %s%s%s%s%s%s%s%s", flow->number,
           epi__tls_version(tls->session), epi__tls_cipher(tls->session),
           *asked ? ", asks for " : "", asked, *alpn ? ", speaks " : "", alpn,
           epi__tls_is_resumed(tls->session) ? ", resumed" : "",
           *name ? ", client " : "", name);
  if (!*name) {
    return 0;
  }
  flow->subject = epi__strdup(name);
  if (!flow->subject) {
    return EPI_ENOMEM;
  }
  flow->user = flow->subject;
  flow->authenticated |= EPI__AUTH_CERTIFICATE;
  return 0;
}
