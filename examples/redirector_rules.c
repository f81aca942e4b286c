/* redirector_rules.c: what the command line means as a redirect. */
#include "redirector_rules.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t find_uid(const char *user) {
  const struct passwd *entry;
  char *end;
  long long uid = strtoll(user, &end, 10);

  if (*user >= '0' && *user <= '9' && !*end) {
    return uid;
  }
  entry = getpwnam(user);
  return entry ? (int64_t)entry->pw_uid : -1;
}

static int add_rule(epi_redirect *redirect, const struct rule *rule) {
  epi_addr addr;
  int64_t uid;
  int port, error;

  switch (rule->option) {
  case OPTION_PORT:
    error = read_number("port", rule->value, 1, 65535, &port);
    if (error) {
      return error;
    }
    error = epi_redirect_add_port(redirect, port);
    break;
  case OPTION_TO:
    error = epi_redirect_add_range(redirect, rule->value);
    break;
  case OPTION_EXCEPT:
    error = epi_addr_parse(&addr, rule->value, 0);
    error = error ? error : epi_redirect_except(redirect, &addr);
    break;
  default:
    uid = find_uid(rule->value);
    if (uid < 0) {
      return say("--except-uid: there is no user '%s'", rule->value);
    }
    error = epi_redirect_except_uid(redirect, uid);
  }
  return error ? say("'%s': %s", rule->value, epi_error_detail()) : 0;
}

static int except_proxy(const redirector_options *options,
                        epi_redirect *redirect) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  const char *host = options->proxy_addr.name;
  struct addrinfo *found = NULL;
  int error = 0;

  if (options->proxy_addr.kind != EPI_ADDR_NAME) {
    error = epi_redirect_except(redirect, &options->proxy_addr);
    return error ? say("%s", epi_error_detail()) : 0;
  }
  error = getaddrinfo(host, NULL, &hints, &found);
  if (error) {
    return say("the proxy's name %s: %s", host, gai_strerror(error));
  }
  for (const struct addrinfo *at = found; at && !error; at = at->ai_next) {
    int v4 = at->ai_family == AF_INET;
    epi_addr addr;

    if (!v4 && at->ai_family != AF_INET6) {
      continue;
    }
    error = epi_addr_set_ip(
        &addr,
        v4 ? (const void *)&((struct sockaddr_in *)(void *)at->ai_addr)
                 ->sin_addr
           : &((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_addr,
        v4 ? 4 : 16, options->proxy_addr.port);
    error = error ? error : epi_redirect_except(redirect, &addr);
  }
  freeaddrinfo(found);
  return error ? say("%s: %s", host, epi_error_detail()) : 0;
}

int rules_make(const redirector_options *options, int port,
               epi_redirect **out) {
  epi_redirect *redirect;
  int error = epi_redirect_new(&redirect, port);

  if (error) {
    return say("%s", epi_error_detail());
  }
  epi_redirect_set_loopback(redirect, options->loopback);
  error = except_proxy(options, redirect);
  for (int i = 0; i < options->rule_count && !error; i++) {
    error = add_rule(redirect, &options->rules[i]);
  }
  if (error) {
    epi_redirect_free(redirect);
    return error;
  }
  *out = redirect;
  return 0;
}

static int describe(const redirector_options *options, int option,
                    const char *before, char *buf, size_t size) {
  size_t len = 0;

  for (int i = 0; i < options->rule_count && len < size; i++) {
    if (options->rules[i].option == option) {
      len += (size_t)snprintf(buf + len, size - len, "%s%s",
                              len ? ", " : before, options->rules[i].value);
    }
  }
  return len > 0;
}

void rules_describe(const redirector_options *options, char *buf, size_t size) {
  char ports[256] = "";
  char ranges[256] = "";

  describe(options, OPTION_PORT, " to ports ", ports, sizeof ports);
  if (!describe(options, OPTION_TO, *ports ? " of " : " to ", ranges,
                sizeof ranges) &&
      !*ports) {
    snprintf(ranges, sizeof ranges, " to everywhere%s",
             options->loopback ? "" : " but loopback");
  }
  snprintf(buf, size, "TCP%s%s", ports, ranges);
}
