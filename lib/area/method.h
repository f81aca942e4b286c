/* method.h: how a connection through a proxy is made, and what for. */
#ifndef EPI__METHOD_H
#define EPI__METHOD_H

#include "epi/estimate.h"

enum {
  EPI__METHODS = EPI_METHOD_SOCKS6_WARM_TFO + 1,
  EPI__OF_SOCKS = EPI_ADVANTAGE_PORTS | EPI_ADVANTAGE_RECONFIGURE |
                  EPI_ADVANTAGE_DYNAMIC | EPI_ADVANTAGE_SECURITY,
  EPI__OF_SOCKS6 = EPI__OF_SOCKS | EPI_ADVANTAGE_RATE,
  EPI__OF_ALL = EPI__OF_SOCKS6 | EPI_ADVANTAGE_TIME,
};

typedef struct epi__method {
  const char *name;
  int client_proxy, proxy_server, client_server; /* round trips */
  int rate; /* its place by processing rate, from 1; 0: it has no proxy */
  int advantages;
} epi__method;

/* NULL for no such method. */
const epi__method *epi__method_of(int method);

#endif
