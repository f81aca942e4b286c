/* test_vectors.c: the wire cases of tests/vectors, which tells their format. */
#include "base/memory.h"
#include "epi/session.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 24, BYTES = 32768 };

typedef struct vector {
  int count;
  char *keys[FIELDS], *values[FIELDS];
} vector;

static const char *field(const vector *v, const char *key) {
  for (int i = 0; i < v->count; i++) {
    if (!strcmp(v->keys[i], key)) {
      return v->values[i];
    }
  }
  return NULL;
}

static int number(const vector *v, const char *key, int otherwise) {
  const char *value = field(v, key);

  return value ? atoi(value) : otherwise;
}

static int is(const vector *v, const char *key, const char *value) {
  const char *found = field(v, key);

  return found && !strcmp(found, value);
}

static int error_of(const vector *v) {
  static const struct {
    const char *name;
    int error;
  } names[] = {
      {"EPROTO", EPI_EPROTO}, {"EVERSION", EPI_EVERSION}, {"EAUTH", EPI_EAUTH}};

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (is(v, "error", names[i].name)) {
      return names[i].error;
    }
  }
  cr_assert_null(field(v, "error"), "%s: unknown error", field(v, "case"));
  return 0;
}

/* ---- requests and replies ---- */

typedef struct target {
  int version;
  epi_request *request;
  epi_reply *reply;
} target;

static ptrdiff_t read_message(void *user, const void *buf, size_t len) {
  target *to = user;

  return to->request ? epi_request_read(to->request, to->version, buf, len)
                     : epi_reply_read(to->reply, to->version, buf, len);
}

static void expect_text(const vector *v, const char *key, const char *found) {
  if (field(v, key)) {
    cr_expect_str_eq(found ? found : "(none)", field(v, key), "%s: %s",
                     field(v, "case"), key);
  }
}

static void expect_addr(const vector *v, const char *key,
                        const epi_addr *addr) {
  char text[EPI_ADDR_TEXT_MAX];

  epi_addr_format(addr, 1, text, sizeof text);
  expect_text(v, key, text);
}

static void expect_metadata(const vector *v, const target *to) {
  for (int i = 0; i < v->count; i++) {
    int key;

    if (sscanf(v->keys[i], "metadata %d", &key) == 1) {
      const char *found = to->request ? epi_request_metadata(to->request, key)
                                      : epi_reply_metadata(to->reply, key);

      expect_text(v, v->keys[i], found);
    }
  }
}

static void check_message(const vector *v, const uint8_t *bytes, size_t len) {
  const char *name = field(v, "case");
  target to = {.version = number(v, "version", 0)};
  uint8_t again[1024];
  ptrdiff_t used;

  if (is(v, "message", "request")) {
    cr_assert_eq(epi_request_new(&to.request), 0);
  } else {
    cr_assert_eq(epi_reply_new(&to.reply), 0);
  }
  used = splits_whole(read_message, &to, bytes, len);
  cr_expect_eq(used, error_of(v) ? error_of(v) : (ptrdiff_t)len, "%s", name);
  if (used > 0) {
    cr_expect_eq(splits_not_waiting(read_message, &to, bytes, len), 0, "%s",
                 name);
    expect_metadata(v, &to);
    if (to.request) {
      cr_expect_eq(epi_request_command(to.request), number(v, "command", -1));
      expect_addr(v, "dest", epi_request_dest(to.request));
      expect_text(v, "user", epi_request_user(to.request));
      expect_text(v, "password", epi_request_password(to.request));
      used = epi_request_write(to.request, to.version, again, sizeof again);
    } else {
      cr_expect_eq(epi_reply_code(to.reply), number(v, "code", -1));
      expect_addr(v, "bound", epi_reply_bound(to.reply));
      used = epi_reply_write(to.reply, to.version, again, sizeof again);
    }
    if (!is(v, "rewrite", "no")) {
      cr_expect_eq(used, (ptrdiff_t)len, "%s", name);
      cr_expect_arr_eq(again, bytes, len, "%s", name);
    }
  }
  epi_request_free(to.request);
  epi_reply_free(to.reply);
}

/* ---- handshakes ---- */

/* Feeds the client's bytes in steps, saying yes to the login if there is one.
 * Returns the bytes used, or the error. */
static ptrdiff_t feed_all(epi_session *server, const uint8_t *bytes, size_t len,
                          size_t step) {
  size_t used = 0;

  for (;;) {
    size_t piece = len - used < step ? len - used : step;
    ptrdiff_t n = epi_session_feed(server, bytes + used, piece);

    if (n < 0) {
      return n;
    }
    used += (size_t)n;
    if (epi_session_next(server) == EPI_NEXT_LOGIN) {
      epi_session_login(server, 1);
    } else if (!n) {
      return (ptrdiff_t)used;
    }
  }
}

static void check_server(const vector *v, const uint8_t *bytes, size_t len) {
  static const char *const next_names[] = {NULL,   "READ",    "LOGIN", "REPLY",
                                           "DONE", "REFUSED", "FAILED"};
  const char *name = field(v, "case");
  uint8_t answer[256];
  size_t answer_len = annotated_hex(
      answer, sizeof answer, field(v, "answer") ? field(v, "answer") : "");
  int draft = number(v, "version", 6) == 612 ? EPI_SOCKS6_12 : EPI_SOCKS6;
  int wanted = error_of(v) ? error_of(v) : number(v, "used", (int)len);

  for (size_t step = 1; step <= 4096; step *= 4) {
    epi_session *server;
    const void *data;

    cr_assert_eq(epi_session_new_server(&server, number(v, "accept", 3), draft,
                                        is(v, "login", "yes")),
                 0);
    cr_expect_eq(feed_all(server, bytes, len, step), wanted, "%s", name);
    cr_expect_str_eq(next_names[epi_session_next(server)], field(v, "next"),
                     "%s", name);
    cr_expect_eq(epi_session_peek(server, &data), (ptrdiff_t)answer_len, "%s",
                 name);
    if (answer_len &&
        epi_session_peek(server, &data) == (ptrdiff_t)answer_len) {
      cr_expect_arr_eq(data, answer, answer_len, "%s", name);
    }
    epi_session_free(server);
  }
}

/* ---- files ---- */

static void check_vector(const vector *v) {
  static uint8_t bytes[BYTES];
  size_t len = annotated_hex(bytes, sizeof bytes, field(v, "bytes"));

  if (is(v, "message", "server")) {
    check_server(v, bytes, len);
  } else {
    cr_assert(is(v, "message", "request") || is(v, "message", "reply"));
    check_message(v, bytes, len);
  }
}

/* Adds a line to a case: "KEY: VALUE", or more of the value before. */
static void add_line(vector *v, char *line) {
  char *colon = strstr(line, ":");

  line[strcspn(line, "#")] = '\0';
  if (line[0] == ' ') {
    char *value = v->values[v->count - 1];
    size_t held = strlen(value);

    value = epi__realloc_array(value, held + strlen(line) + 1, 1);
    memcpy(value + held, line, strlen(line) + 1);
    v->values[v->count - 1] = value;
    return;
  }
  cr_assert(colon && v->count < FIELDS, "not KEY: VALUE: %s", line);
  *colon++ = '\0';
  colon += strspn(colon, " ");
  for (size_t end = strlen(colon); end && colon[end - 1] == ' ';) {
    colon[--end] = '\0';
  }
  v->keys[v->count] = epi__strdup(line);
  v->values[v->count++] = epi__strdup(colon);
}

static void end_vector(vector *v, int *done) {
  if (v->count) {
    cr_assert(field(v, "case") && field(v, "bytes"));
    check_vector(v);
    ++*done;
  }
  while (v->count) {
    epi__free(v->keys[--v->count]);
    epi__free(v->values[v->count]);
  }
}

static int check_file(const char *path) {
  FILE *file = fopen(path, "r");
  vector v = {0};
  char line[512];
  int done = 0;

  cr_assert(file, "%s", path);
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    if (!line[0]) {
      end_vector(&v, &done);
    } else if (line[0] != '#') {
      add_line(&v, line);
    }
  }
  end_vector(&v, &done);
  fclose(file);
  return done;
}

static int check_folder(const char *name) {
  const char *root = getenv("EPI_SOURCE");
  struct dirent *entry;
  char path[4096];
  int done = 0;
  DIR *folder;

  cr_assert(root, "EPI_SOURCE is not set: run it with meson test");
  snprintf(path, sizeof path, "%s/tests/vectors/%s", root, name);
  folder = opendir(path);
  cr_assert(folder, "%s", path);
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] != '.') {
      snprintf(path, sizeof path, "%s/tests/vectors/%s/%s", root, name,
               entry->d_name);
      done += check_file(path);
    }
  }
  closedir(folder);
  return done;
}

Test(vectors, socks5_cases_are_read_as_they_say) {
  cr_expect_geq(check_folder("socks5"), 20);
}

Test(vectors, socks6_cases_are_read_as_they_say) {
  cr_expect_geq(check_folder("socks6"), 20);
}
