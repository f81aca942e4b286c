/* http_head.c: which host an HTTP/1 request is for.
 *
 * Whoever smuggles a request past a filter uses what two readers understand
 * differently: two hosts, two lengths, folded lines, odd spaces, a lone CR or
 * LF. None of these is repaired. */
#include "filter/http_head.h"

#include "base/fail.h"

#include <stdio.h>
#include <string.h>

typedef struct piece {
  const char *at;
  size_t len;
} piece;

typedef struct fields {
  epi__http_request *out;
  epi_addr target; /* where an absolute target goes */
  int old;         /* HTTP/1.0 */
  int has_length;
} fields;

static int malformed(const char *what) {
  return epi__fail(EPI_EPROTO, "a malformed HTTP request: %s", what);
}

int epi__http_is_token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int is_token(piece word) {
  for (size_t i = 0; i < word.len; i++) {
    if (!epi__http_is_token(word.at[i])) {
      return 0;
    }
  }
  return word.len > 0;
}

static int has_control(piece line) {
  for (size_t i = 0; i < line.len; i++) {
    if ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') {
      return 1;
    }
  }
  return 0;
}

static int same(piece word, const char *text) {
  size_t len = strlen(text);

  for (size_t i = 0; i < len && i < word.len; i++) {
    char c = word.at[i];

    if ((c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c) != text[i]) {
      return 0;
    }
  }
  return len == word.len;
}

/* The piece in front of a character, which *rest then begins behind; all of it
 * if the character is not there. */
static piece take(piece *rest, char end) {
  const char *at = rest->len ? memchr(rest->at, end, rest->len) : NULL;
  piece front = {rest->at, at ? (size_t)(at - rest->at) : rest->len};
  size_t used = front.len + (at ? 1 : 0);

  rest->at += used;
  rest->len -= used;
  return front;
}

/* The next line, without its CR LF; 0 if it does not end so. */
static int take_line(piece *rest, piece *line) {
  *line = take(rest, '\n');
  if (!line->len || line->at[line->len - 1] != '\r') {
    return 0;
  }
  line->len--;
  return 1;
}

static int read_host(epi_addr *out, piece text) {
  char host[EPI_ADDR_TEXT_MAX];

  if (!text.len || text.len >= sizeof host) {
    return malformed("the host");
  }
  memcpy(host, text.at, text.len);
  host[text.len] = '\0';
  return epi_addr_parse(out, host, 80) ? malformed("the host") : 0;
}

/* Where a target that is a URL goes to, RFC 9112 section 3.2.2. */
static int read_target(fields *into, piece method, piece target) {
  piece host = target;
  piece scheme = take(&host, ':');

  if (same(method, "connect")) {
    into->out->leaves = 1;
    return read_host(&into->target, target);
  }
  if (target.len && (target.at[0] == '/' || same(target, "*"))) {
    return 0;
  }
  if ((!same(scheme, "http") && !same(scheme, "https")) || host.len < 2 ||
      memcmp(host.at, "//", 2)) {
    return malformed("the target");
  }
  host.at += 2;
  host.len -= 2;
  for (size_t i = 0; i < host.len; i++) {
    if (strchr("/?#", host.at[i])) {
      host.len = i;
    }
  }
  return read_host(&into->target, host);
}

static int read_request_line(fields *into, piece line) {
  piece method = take(&line, ' ');
  piece target = take(&line, ' ');

  if (!is_token(method) || line.len != 8 || memcmp(line.at, "HTTP/1.", 7) ||
      (line.at[7] != '0' && line.at[7] != '1')) {
    return epi__fail(EPI_EVERSION, "this is no HTTP/1 request");
  }
  into->old = line.at[7] == '0';
  return has_control(target) ? malformed("the target")
                             : read_target(into, method, target);
}

static int read_length(fields *into, piece value) {
  int64_t length = 0;

  if (into->has_length || !value.len || value.len > 18) {
    return malformed("the length");
  }
  for (size_t i = 0; i < value.len; i++) {
    if (value.at[i] < '0' || value.at[i] > '9') {
      return malformed("the length");
    }
    length = length * 10 + (value.at[i] - '0');
  }
  into->has_length = 1;
  into->out->length = length;
  return 0;
}

static piece trimmed(piece value) {
  while (value.len && (*value.at == ' ' || *value.at == '\t')) {
    value.at++;
    value.len--;
  }
  while (value.len &&
         (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t')) {
    value.len--;
  }
  return value;
}

static int read_field(fields *into, piece line) {
  epi__http_request *out = into->out;
  int colon = line.len && memchr(line.at, ':', line.len);
  piece value = line;
  piece name = take(&value, ':');

  value = trimmed(value);
  if (!colon || !is_token(name) || has_control(value)) {
    return malformed("a field");
  }
  if (same(name, "host")) {
    return out->host.kind ? malformed("two hosts")
                          : read_host(&out->host, value);
  }
  if (same(name, "content-length")) {
    return read_length(into, value);
  }
  if (same(name, "transfer-encoding")) {
    if (out->chunked || into->old || !same(value, "chunked")) {
      return malformed("the transfer encoding");
    }
    out->chunked = 1;
  }
  out->leaves |= same(name, "upgrade");
  return 0;
}

int epi__http_head_read(epi__http_request *out, const char *text, size_t len) {
  epi__http_request request = {0};
  fields into = {.out = &request};
  piece rest = {text, len}, line;
  int result = take_line(&rest, &line) ? read_request_line(&into, line)
                                       : malformed("the end of a line");

  while (!result) {
    if (!take_line(&rest, &line)) {
      result = malformed("the end of a line");
    } else if (!line.len) {
      break;
    } else {
      result = read_field(&into, line);
    }
  }
  if (result) {
    return result;
  }
  if (request.chunked && into.has_length) {
    return malformed("two lengths");
  }
  if (into.target.kind && request.host.kind &&
      !epi_addr_equal(&into.target, &request.host)) {
    return malformed("two hosts");
  }
  if (into.target.kind) {
    request.host = into.target;
  }
  *out = request;
  return 0;
}
