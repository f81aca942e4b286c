/* inspect_name.c: which host a flow is for: by TLS's server name or HTTP's
 * Host.
 *
 * Without a list the name is noted, and nothing waits for it. With one, forward
 * data waits until it has named a host that is on the list, for HTTP every
 * request anew, and whatever is not understood is refused. */
#include "filter/inspect_flow.h"

#include "base/fail.h"

#include <stdio.h>
#include <string.h>

enum {
  SAY_MAX = 100,
  WHY_MAX = 200,
};

static int refuse_host(epi_pipe *pipe, const char *protocol,
                       const epi_addr *name) {
  char host[EPI_ADDR_TEXT_MAX], why[WHY_MAX];

  if (epi_addr_format(name, 0, host, sizeof host) < 0) {
    snprintf(why, sizeof why, "the %s client names no host", protocol);
  } else {
    snprintf(why, sizeof why, "the %s host %.140s is not on the list", protocol,
             host);
  }
  return epi_pipe_refuse(pipe, why);
}

static void note_host(epi_pipe *pipe, const char *protocol,
                      const epi_addr *name) {
  char host[EPI_ADDR_TEXT_MAX] = "none", say[SAY_MAX];

  if (name->kind != EPI_ADDR_NONE) {
    epi_addr_format(name, 0, host, sizeof host);
  }
  snprintf(say, sizeof say, "%s host %.80s", protocol, host);
  epi_pipe_note(pipe, say);
}

/* An error of reading: of memory, or what the flow is refused for. */
static int refuse_error(epi_pipe *pipe, int error) {
  return error == EPI_ENOMEM ? error
                             : epi_pipe_refuse(pipe, epi_error_detail());
}

/* Keep the pipe's account of what waits. */
static int wait_for(epi__inspect_flow *at, epi_pipe *pipe, size_t bytes) {
  int64_t more = (int64_t)bytes - at->waiting;

  at->waiting = (int64_t)bytes;
  return more ? epi_pipe_hold(pipe, more) : 0;
}

/* Nothing is left to find out: this data may pass, and if there are no patterns
 * so may all other. */
static int be_done(const epi__inspect_rules *rules, epi__inspect_flow *at,
                   epi_pipe *pipe, const uint8_t *data, size_t len) {
  at->speaks = EPI__SPEAKS_KNOWN;
  epi__hello_clear(&at->hello);
  epi__http_stream_clear(&at->http);
  return rules->matcher
             ? epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, len)
             : EPI_PASS;
}

/* Write on what waited in a queue. */
static int let_go(const epi__inspect_rules *rules, epi__inspect_flow *at,
                  epi_pipe *pipe, epi__queue *queue) {
  const uint8_t *bytes;
  size_t len = epi__queue_peek(queue, &bytes);
  int result = wait_for(at, pipe, 0);

  at->named = 1;
  if (!result && len) {
    result = epi__inspect_scan(rules, at, pipe, EPI_FORWARD, bytes, len);
  }
  return result;
}

static int read_tls(const epi__inspect_rules *rules, epi__inspect_flow *at,
                    epi_pipe *pipe, const uint8_t *data, size_t len) {
  int listed = epi__inspect_is_listed(rules);
  const uint8_t *early;
  epi_addr name;
  int result = epi__hello_feed(&at->hello, data, len, &name);

  if (result < 0 && listed) {
    return refuse_error(pipe, result);
  }
  if (result < 0) {
    epi_pipe_note(pipe, epi_error_detail());
    return be_done(rules, at, pipe, data, len);
  }
  if (!result && !listed) {
    return epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, len);
  }
  if (!result) {
    result = epi__queue_append(&at->early, data, len);
    return result ? result
                  : wait_for(at, pipe, epi__queue_peek(&at->early, &early));
  }
  if (listed && !epi__host_list_has(&rules->sni, &name)) {
    return refuse_host(pipe, "TLS", &name);
  }
  note_host(pipe, "TLS", &name);
  result = let_go(rules, at, pipe, &at->early);
  epi__queue_clear(&at->early, 0);
  return result ? result : be_done(rules, at, pipe, data, len);
}

/* A head is all there, and waits in the stream. */
static int judge_head(const epi__inspect_rules *rules, epi__inspect_flow *at,
                      epi_pipe *pipe) {
  const epi__http_request *request = &at->http.request;

  if (!epi__host_list_has(&rules->host, &request->host)) {
    return refuse_host(pipe, "HTTP", &request->host);
  }
  if (request->leaves) {
    return epi_pipe_refuse(pipe, "the HTTP client asks for another protocol");
  }
  if (!at->named) {
    note_host(pipe, "HTTP", &request->host);
  }
  return let_go(rules, at, pipe, &at->http.head);
}

static int read_listed_http(const epi__inspect_rules *rules,
                            epi__inspect_flow *at, epi_pipe *pipe,
                            const uint8_t *data, size_t len) {
  const uint8_t *kept;
  size_t body = 0; /* bytes of a body in front */

  while (body < len) {
    size_t used = 0;
    int result =
        epi__http_stream_next(&at->http, data + body, len - body, &used);

    if (result < 0) {
      return refuse_error(pipe, result);
    }
    if (result == EPI__HTTP_BODY) {
      body += used;
      continue;
    }
    if (body) {
      int error = epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, body);

      if (error) {
        return error;
      }
    }
    result = result == EPI__HTTP_HEAD
                 ? judge_head(rules, at, pipe)
                 : wait_for(at, pipe, epi__queue_peek(&at->http.head, &kept));
    if (result) {
      return result;
    }
    data += body + used;
    len -= body + used;
    body = 0;
  }
  return body ? epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, body) : 0;
}

/* Without a list the first head is noted, and the rest is not looked at. */
static int read_any_http(const epi__inspect_rules *rules, epi__inspect_flow *at,
                         epi_pipe *pipe, const uint8_t *data, size_t len) {
  size_t done = 0;

  while (done < len) {
    size_t used = 0;
    int result =
        epi__http_stream_next(&at->http, data + done, len - done, &used);

    if (result == EPI__HTTP_HEAD) {
      note_host(pipe, "HTTP", &at->http.request.host);
    } else if (result == EPI_EPROTO) { /* EPI_EVERSION: not HTTP after all */
      epi_pipe_note(pipe, epi_error_detail());
    }
    if (result) {
      return be_done(rules, at, pipe, data, len);
    }
    done += used;
  }
  return epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, len);
}

int epi__inspect_name(const epi__inspect_rules *rules, epi__inspect_flow *at,
                      epi_pipe *pipe, const uint8_t *data, size_t len) {
  int listed = epi__inspect_is_listed(rules);

  if (at->speaks == EPI__SPEAKS_UNKNOWN && *data == EPI__TLS_HANDSHAKE) {
    at->speaks = EPI__SPEAKS_TLS;
  } else if (at->speaks == EPI__SPEAKS_UNKNOWN &&
             epi__http_is_token((char)*data)) {
    at->speaks = EPI__SPEAKS_HTTP;
  }
  switch (at->speaks) {
  case EPI__SPEAKS_TLS:
    return listed && !rules->sni.count
               ? epi_pipe_refuse(pipe, "the client speaks TLS, not HTTP")
               : read_tls(rules, at, pipe, data, len);
  case EPI__SPEAKS_HTTP:
    if (!listed) {
      return read_any_http(rules, at, pipe, data, len);
    }
    return rules->host.count
               ? read_listed_http(rules, at, pipe, data, len)
               : epi_pipe_refuse(pipe, "the client does not speak TLS");
  case EPI__SPEAKS_UNKNOWN:
    return listed
               ? epi_pipe_refuse(pipe, "the client speaks neither TLS nor HTTP")
               : be_done(rules, at, pipe, data, len);
  default:
    return epi__inspect_scan(rules, at, pipe, EPI_FORWARD, data, len);
  }
}

int epi__inspect_name_end(const epi__inspect_rules *rules,
                          const epi__inspect_flow *at, epi_pipe *pipe) {
  return epi__inspect_is_listed(rules) && at->waiting
             ? epi_pipe_refuse(pipe, "the client ended before it named a host")
             : 0;
}
