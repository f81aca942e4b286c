/* estimate.c: the paper's set-up time model, Eq. 6 to 9. */
#include "epi/estimate.h"

#include <math.h>

/* Round trips between client and proxy, and between proxy and server. A client
 * that sends data with its request saves the round trip that waits for the
 * reply. */
static const struct {
  double client_proxy, proxy_server, client_server;
} round_trips[] = {
    [EPI_METHOD_DIRECT] = {0, 0, 2}, [EPI_METHOD_REVERSE] = {2, 2, 0},
    [EPI_METHOD_SOCKS5] = {4, 2, 0}, [EPI_METHOD_SOCKS5_LOGIN] = {5, 2, 0},
    [EPI_METHOD_SOCKS6] = {3, 2, 0}, [EPI_METHOD_SOCKS6_EARLY] = {2, 2, 0},
};

static int is_time(double ms) {
  return isfinite(ms) && ms >= 0;
}

double epi_estimate_ms(int method, double rtt_cp_ms, double rtt_ps_ms,
                       double rtt_cs_ms, double busy_ms) {
  if (method < EPI_METHOD_DIRECT || method > EPI_METHOD_SOCKS6_EARLY ||
      !is_time(rtt_cp_ms) || !is_time(rtt_ps_ms) || !is_time(rtt_cs_ms) ||
      !is_time(busy_ms)) {
    return -1.0;
  }
  return round_trips[method].client_proxy * rtt_cp_ms +
         round_trips[method].proxy_server * rtt_ps_ms +
         round_trips[method].client_server * rtt_cs_ms + busy_ms;
}
