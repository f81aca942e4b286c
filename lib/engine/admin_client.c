/* admin_client.c: a question to an engine's admin socket, and its answer. */
#include "base/fail.h"
#include "base/memory.h"
#include "engine/admin_text.h"
#include "epi/admin.h"
#include "os/os.h"
#include "os/unix_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
  BLOCK = 64 * 1024,
  REPLY_MAX = 256 * 1024 * 1024,
};

/* The request as it is sent: on one line, with the version of the protocol. */
static int make_request(epi__text *out, const char *request) {
  const char *at = request + strspn(request, " \t\r\n");
  epi__admin_request read = {0};
  epi__json *root = NULL;
  int result = epi__json_read(&root, request, strlen(request));

  if (!result && epi__json_type(root) != EPI__JSON_OBJECT) {
    result = epi__fail(EPI_EINVAL, "a request is an object");
  }
  if (result) {
    epi__json_free(root);
    return result == EPI_EMODEL ? EPI_EINVAL : result;
  }
  if (!epi__json_member(root, "epi")) {
    at++;
    at += strspn(at, " \t\r\n");
    epi__text_printf(out, "{\"epi\":%d%s", EPI__ADMIN_VERSION,
                     *at == '}' ? "" : ",");
  }
  epi__text_puts(out, at);
  epi__json_free(root);
  for (size_t i = 0; i < out->len && !out->failed; i++) {
    if (out->block[i] == '\n' || out->block[i] == '\r') {
      out->block[i] = ' '; /* between values: a text has none */
    }
  }
  if (!out->failed) { /* what is wrong with it is known at once */
    result = epi__admin_request_read(&read, out->block, out->len);
    epi__admin_request_clear(&read);
  }
  epi__text_puts(out, "\n");
  return out->failed ? EPI_ENOMEM : result;
}

/* One that does not take it all may have said why. */
static void send_all(int fd, const epi__text *request) {
  size_t sent = 0;

  while (sent < request->len) {
    ssize_t now =
        send(fd, request->block + sent, request->len - sent, MSG_NOSIGNAL);

    if (now < 0 && errno != EINTR) {
      return;
    }
    sent += now > 0 ? (size_t)now : 0;
  }
}

/* A line, without its end. */
static int receive(int fd, epi__text *out) {
  char block[BLOCK];

  for (;;) {
    ssize_t got = recv(fd, block, sizeof block, 0);
    const char *end = got > 0 ? memchr(block, '\n', (size_t)got) : NULL;

    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return epi__fail(EPI_ETIMEOUT, "the engine does not answer");
    }
    if (got <= 0) {
      return epi__fail(EPI_ECLOSED, "the engine ended instead of an answer");
    }
    epi__text_add(out, block, end ? (size_t)(end - block) : (size_t)got);
    if (out->failed) {
      return EPI_ENOMEM;
    }
    if (end) {
      return 0;
    }
    if (out->len > REPLY_MAX) {
      return epi__fail(EPI_EPROTO, "the answer is too long");
    }
  }
}

/* ---- the reply ---- */

/* What the engine says is wrong. */
static int take_error(epi__json *reply, epi_report *problems) {
  const epi__json *code = epi__json_member(reply, "code");
  const epi__json *message = epi__json_member(reply, "message");
  const epi__json *list = epi__json_member(reply, "problems");
  int number;

  if (!code || epi__json_type(code) != EPI__JSON_NUMBER || !message ||
      epi__json_type(message) != EPI__JSON_STRING ||
      epi__json_number(code) >= 0 || epi__json_number(code) < INT_MIN) {
    return epi__fail(EPI_EPROTO, "what answers there is no engine");
  }
  for (const epi__json *at = list ? epi__json_first(list) : NULL; at;
       at = epi__json_next(at)) {
    if (epi__json_type(at) == EPI__JSON_STRING) {
      epi__report_add(problems, "%s", epi__json_string(at));
    }
  }
  number = (int)epi__json_number(code);
  return epi__fail(number, "%s", epi__json_string(message));
}

/* `result` as it came: it is the last member. */
static int take_result(const epi__text *line, char **out) {
  static const char key[] = ",\"result\":";
  const char *at = strstr(line->block, key);
  char *copy;

  if (!at || line->block[line->len - 1] != '}') {
    return epi__fail(EPI_EPROTO, "what answers there is no engine");
  }
  at += sizeof key - 1;
  copy = epi__strndup(at, line->len - 1 - (size_t)(at - line->block));
  if (!copy) {
    return EPI_ENOMEM;
  }
  *out = copy;
  return 0;
}

static int take_reply(const epi__text *line, const epi__text *request, int form,
                      epi_report *problems, char **out) {
  epi__json *reply = NULL;
  const epi__json *ok;
  int result =
      epi__json_read(&reply, line->block ? line->block : "", line->len);

  if (result) {
    return result == EPI_EMODEL
               ? epi__fail(EPI_EPROTO, "what answers there is no engine")
               : result;
  }
  ok = epi__json_type(reply) == EPI__JSON_OBJECT ? epi__json_member(reply, "ok")
                                                 : NULL;
  if (!ok || epi__json_type(ok) != EPI__JSON_BOOL) {
    result = epi__fail(EPI_EPROTO, "what answers there is no engine");
  } else if (!epi__json_bool(ok)) {
    result = take_error(reply, problems);
  } else if (form == EPI_FORM_JSON) {
    result = take_result(line, out);
  } else {
    result = epi__admin_text(out, request, epi__json_member(reply, "result"));
  }
  epi__json_free(reply);
  return result;
}

int epi_admin_ask(const char *path, const char *request, int64_t timeout_ms,
                  int form, epi_report *problems, char **out) {
  epi__text sent = {0}, line = {0};
  int fd = -1, result = 0;

  if (form != EPI_FORM_TEXT && form != EPI_FORM_JSON) {
    return epi__fail(EPI_EINVAL, "there is no form %d", form);
  }
  if (timeout_ms < 1 || timeout_ms > INT32_MAX) {
    return epi__fail(EPI_EINVAL, "a time is from 1 to %d ms", INT32_MAX);
  }
  result = make_request(&sent, request);
  if (!result) {
    result = epi__unix_connect(path, timeout_ms, &fd);
  }
  if (!result) {
    send_all(fd, &sent);
    result = receive(fd, &line);
  }
  if (!result) {
    result = take_reply(&line, &sent, form, problems, out);
  }
  if (fd >= 0) {
    epi__sock_close(fd, 0);
  }
  epi__text_clear(&sent);
  epi__text_clear(&line);
  return result;
}
