/* estimate.c: the paper's set-up time model, Eq. 6 to 9. */
#include "epi/estimate.h"

#include "area/method.h"
#include "epi/error.h"

#include <math.h>

/* Round trips between client and proxy, and between proxy and server. A client
 * that sends data with its request saves the round trip that waits for the
 * reply. */
static const epi__method methods[EPI__METHODS] = {
    [EPI_METHOD_DIRECT] = {"direct", 0, 0, 2, 0, 0},
    [EPI_METHOD_REVERSE] = {"reverse", 2, 2, 0, 2, EPI_ADVANTAGE_TIME},
    [EPI_METHOD_SOCKS5] = {"socks5", 4, 2, 0, 3, EPI__OF_SOCKS},
    [EPI_METHOD_SOCKS5_LOGIN] = {"socks5-login", 5, 2, 0, 3, EPI__OF_SOCKS},
    [EPI_METHOD_SOCKS6] = {"socks6", 3, 2, 0, 1, EPI__OF_SOCKS6},
    [EPI_METHOD_SOCKS6_EARLY] = {"socks6-early", 2, 2, 0, 1, EPI__OF_ALL},
    [EPI_METHOD_SOCKS6_WARM] = {"socks6-warm", 1, 2, 0, 1, EPI__OF_ALL},
    [EPI_METHOD_SOCKS6_WARM_TFO] = {"socks6-warm-tfo", 1, 1, 0, 1, EPI__OF_ALL},
};

const epi__method *epi__method_of(int method) {
  return method >= EPI_METHOD_DIRECT && method < EPI__METHODS ? &methods[method]
                                                              : NULL;
}

static int is_time(double ms) {
  return isfinite(ms) && ms >= 0;
}

double epi_estimate_ms(int method, double rtt_cp_ms, double rtt_ps_ms,
                       double rtt_cs_ms, double busy_ms) {
  const epi__method *of = epi__method_of(method);

  if (!of || !is_time(rtt_cp_ms) || !is_time(rtt_ps_ms) ||
      !is_time(rtt_cs_ms) || !is_time(busy_ms)) {
    return -1.0;
  }
  return of->client_proxy * rtt_cp_ms + of->proxy_server * rtt_ps_ms +
         of->client_server * rtt_cs_ms + busy_ms;
}

double epi_estimate_busy_ms(int method, double t_server_ms, double t_proxy_ms,
                            double t_redirector_ms) {
  if (!epi__method_of(method) || !is_time(t_server_ms) ||
      !is_time(t_proxy_ms) || !is_time(t_redirector_ms)) {
    return -1.0;
  }
  return t_server_ms + (method != EPI_METHOD_DIRECT ? t_proxy_ms : 0) +
         (method >= EPI_METHOD_SOCKS5 ? t_redirector_ms : 0);
}

const char *epi_method_name(int method) {
  const epi__method *of = epi__method_of(method);

  return of ? of->name : NULL;
}

int epi_method_advantages(int method) {
  const epi__method *of = epi__method_of(method);

  return of ? of->advantages : EPI_EINVAL;
}
