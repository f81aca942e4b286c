/* test_inspect.c: patterns in the data of a flow, and the host that it is for,
 * however the network cuts it. */
#include "base/bytes.h"
#include "base/memory.h"
#include "filter/builtin.h"
#include "filter/filter_chain.h"
#include "support/alloc_fail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static epi__queue forward, backward;
static epi__queue *const queues[2] = {&forward, &backward};
static const char *file_text = "";
static size_t hello_len;

static int read_file(const char *path, size_t max, char **text, size_t *len) {
  cr_assert_str_eq(path, "words");
  cr_assert_gt(max, 1u << 20);
  *len = strlen(file_text);
  *text = epi__strdup(file_text);
  return *text ? 0 : EPI_ENOMEM;
}

static epi__filter_chain *open_flow(const char *args) {
  epi__filter_chain *chain = NULL;
  epi_filter *filter = NULL;

  cr_assert_eq(epi__inspect_new(&filter, args, read_file), 0, "%s: %s", args,
               epi_error_detail());
  cr_assert_eq(epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL),
               0);
  epi_filter_free(filter);
  return chain;
}

/* Feed a piece as a block of its exact size. */
static int feed(epi__filter_chain *chain, int direction, const char *data,
                size_t len) {
  char *copy = malloc(len);
  int result;

  memcpy(copy, data, len);
  result = epi__filter_chain_feed(chain, direction, copy, len);
  free(copy);
  return result;
}

static const char *queued(epi__queue *queue) {
  static char text[4096];
  const uint8_t *data;
  size_t len = epi__queue_peek(queue, &data);

  cr_assert_lt(len, sizeof text);
  if (len) {
    memcpy(text, data, len);
  }
  text[len] = '\0';
  epi__queue_clear(queue, 0);
  return text;
}

/* Send data in two pieces, or with cut 0 byte by byte, and end the direction.
 * Returns 0 or what cut the flow; notes gets the notes. */
static int send_cut(const char *args, int direction, const char *data,
                    size_t len, size_t cut, char notes[512]) {
  epi__filter_chain *chain = open_flow(args);
  int result = 0;

  for (size_t at = 0; at < len && !result;) {
    size_t part = cut == 0 ? 1 : at < cut ? cut : len - at;

    part = part < len - at ? part : len - at;
    result = feed(chain, direction, data + at, part);
    at += part;
  }
  if (!result) {
    result = epi__filter_chain_end(chain, direction);
  }
  snprintf(notes, 512, "%s", epi__filter_chain_notes(chain));
  epi__filter_chain_free(chain);
  return result;
}

/* The same at every split: what comes out, and what is noted. */
static void expect_out(const char *args, const char *in, const char *out,
                       const char *notes) {
  for (size_t cut = 0; cut <= strlen(in); cut++) {
    char said[512];

    cr_assert_eq(send_cut(args, EPI_BACKWARD, in, strlen(in), cut, said), 0,
                 "%s: %s", in, epi_error_detail());
    cr_assert_str_eq(queued(&backward), out, "cut at %zu", cut);
    cr_assert_str_eq(said, notes, "%s", said);
  }
}

static void expect_refused(const char *args, const char *in, size_t len,
                           const char *why) {
  for (size_t cut = 0; cut <= len; cut++) {
    char said[512];

    cr_assert_eq(send_cut(args, EPI_FORWARD, in, len, cut, said), EPI_EDENIED,
                 "%s: %zu", why, cut);
    cr_assert(strstr(epi_error_detail(), why), "%s", epi_error_detail());
    epi__queue_clear(&forward, 0);
  }
}

/* ---- patterns ---- */

Test(inspect, masks_across_every_border) {
  expect_out("pattern=secret,action=mask", "a secret, secrets, secre",
             "a ******, ******s, secre", "masked pattern 1 backward");
  expect_out("pattern=abcd,pattern=bc,action=mask", "xabcx abcd ab",
             "xa**x **** ab",
             "masked pattern 2 backward, masked pattern 1 backward");
  expect_out("pattern=aa,action=mask", "aaaba", "***ba",
             "masked pattern 1 backward");
  expect_out("pattern=Patient,nocase,action=mask", "PATIENT patient",
             "******* *******", "masked pattern 1 backward");
}

Test(inspect, reports_and_changes_nothing) {
  expect_out("pattern=one,pattern=two,action=report", "two of one and one",
             "two of one and one",
             "found pattern 2 backward, found pattern 1 backward");
}

Test(inspect, refuses_before_the_last_byte_of_a_pattern_passes) {
  static const char text[] = "GO: the secret is out";

  expect_refused("pattern=secret", text, sizeof text - 1,
                 "pattern 1 is in the data that goes forward");
  for (size_t cut = 1; cut < sizeof text; cut++) {
    char said[512];

    send_cut("pattern=secret", EPI_FORWARD, text, sizeof text - 1, cut, said);
    cr_expect_not(strstr(queued(&forward), "secret"));
  }
}

Test(inspect, looks_only_the_way_that_it_was_told) {
  expect_out("pattern=secret,way=forward", "a secret", "a secret", "");
  expect_out("pattern=secret,way=both,action=report", "a secret", "a secret",
             "found pattern 1 backward");
}

Test(inspect, holds_nothing_back_unless_a_pattern_has_begun) {
  epi__filter_chain *chain = open_flow("pattern=secret,action=mask");

  cr_assert_eq(feed(chain, EPI_BACKWARD, "all clear", 9), 0);
  cr_expect_str_eq(queued(&backward), "all clear");
  cr_assert_eq(feed(chain, EPI_BACKWARD, " sec", 4), 0);
  cr_expect_str_eq(queued(&backward), " ");
  cr_assert_eq(feed(chain, EPI_BACKWARD, "se", 2), 0);
  cr_expect_str_eq(queued(&backward), "sec");
  cr_assert_eq(feed(chain, EPI_BACKWARD, "cret", 4), 0);
  cr_expect_str_eq(queued(&backward), "******");
  epi__filter_chain_free(chain);
}

/* A search without wits: mask all that any of three patterns covers. */
static void mask_naively(char *out, const char *in,
                         const char *const patterns[3]) {
  memcpy(out, in, strlen(in) + 1);
  for (size_t i = 0; in[i]; i++) {
    for (int k = 0; k < 3; k++) {
      if (!strncmp(in + i, patterns[k], strlen(patterns[k]))) {
        memset(out + i, '*', strlen(patterns[k]));
      }
    }
  }
}

Test(inspect, masks_what_a_naive_search_masks) {
  uint32_t seed = 7;

  for (int round = 0; round < 300; round++) {
    char words[3][8], in[40], expected[40], args[128], said[512];
    const char *const patterns[3] = {words[0], words[1], words[2]};

    for (int k = 0; k < 4; k++) {
      char *text = k < 3 ? words[k] : in;
      size_t len = 0, most;

      seed = seed * 1664525 + 1013904223;
      most = k < 3 ? 1 + (seed >> 10) % 6 : sizeof in - 1;
      while (len < most) {
        seed = seed * 1664525 + 1013904223;
        text[len++] = (char)('a' + (seed >> 10) % 3);
      }
      text[len] = '\0';
    }
    snprintf(args, sizeof args, "action=mask,pattern=%s,pattern=%s,pattern=%s",
             words[0], words[1], words[2]);
    mask_naively(expected, in, patterns);
    for (size_t cut = 0; cut < strlen(in); cut += 3) {
      cr_assert_eq(send_cut(args, EPI_BACKWARD, in, strlen(in), cut, said), 0);
      cr_assert_str_eq(queued(&backward), expected, "%s in %s", args, in);
    }
  }
}

Test(inspect, numbers_the_lines_of_a_file) {
  file_text = "alpha\n\nbeta\r\n";
  expect_out("patterns=words,action=mask", "a beta", "a ****",
             "masked pattern 3 backward");
}

Test(inspect, refuses_arguments_that_say_nothing) {
  static const char *const bad[] = {"pattern=", "action=drop",   "way=up",
                                    "sni=",     "host=a b",      "nocase=yes",
                                    "nocases",  "patterns=words"};

  file_text = "\n\n";
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    epi_filter *filter = NULL;

    cr_expect_eq(epi__inspect_new(&filter, bad[i], read_file), EPI_EINVAL, "%s",
                 bad[i]);
  }
  cr_expect_eq(epi__inspect_new(&(epi_filter *){NULL}, "patterns=words", NULL),
               EPI_ENOTSUP);
}

/* ---- TLS ---- */

/* A ClientHello that names a server, or none, in records of at most `most`
 * bytes; what is not about names is as clients send it. */
static const char *hello(const char *name, size_t most) {
  static uint8_t records[4096];
  uint8_t message[1024];
  size_t name_len = name ? strlen(name) : 0, extra = name ? name_len + 9 : 0;
  epi__writer in = epi__writer_over(message, sizeof message);
  epi__writer out = epi__writer_over(records, sizeof records);
  size_t body = 2 + 32 + 1 + 2 + 4 + 2 + 2 + extra + 6;

  epi__write_u8(&in, 1);
  epi__write_u8(&in, 0);
  epi__write_u16(&in, (unsigned)body);
  epi__write_u16(&in, 0x303);
  epi__write_zeros(&in, 32);
  epi__write_u8(&in, 0);
  epi__write_u16(&in, 4);
  epi__write_u32(&in, 0x13011302);
  epi__write_u16(&in, 0x100);
  epi__write_u16(&in, (unsigned)extra + 6);
  epi__write_u16(&in, 23);
  epi__write_u16(&in, 2);
  epi__write_u16(&in, 0);
  if (name) {
    epi__write_u16(&in, 0);
    epi__write_u16(&in, (unsigned)name_len + 5);
    epi__write_u16(&in, (unsigned)name_len + 3);
    epi__write_u8(&in, 0);
    epi__write_u16(&in, (unsigned)name_len);
    epi__write_bytes(&in, name, name_len);
  }
  for (size_t at = 0; at < in.used; at += most) {
    size_t part = in.used - at < most ? in.used - at : most;

    epi__write_u32(&out, 0x16030100);
    out.used--;
    epi__write_u16(&out, (unsigned)part);
    epi__write_bytes(&out, message + at, part);
  }
  hello_len = (size_t)epi__writer_end(&out);
  return (const char *)records;
}

Test(inspect, lets_listed_server_names_through) {
  static const char *const args[] = {"sni=www.umc.example", "sni=*.umc.example",
                                     "sni=a.example,sni=WWW.umc.example.", ""};

  for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
    const char *bytes = hello("www.UMC.example", i % 2 ? 1000 : 7);

    for (size_t cut = 0; cut <= hello_len; cut++) {
      const uint8_t *out;
      char said[512];

      cr_assert_eq(send_cut(args[i], EPI_FORWARD, bytes, hello_len, cut, said),
                   0, "%s", epi_error_detail());
      cr_assert_eq(epi__queue_peek(&forward, &out), hello_len);
      cr_assert_eq(memcmp(out, bytes, hello_len), 0);
      cr_assert_str_eq(said, "TLS host www.umc.example");
      epi__queue_clear(&forward, 0);
    }
  }
}

Test(inspect, refuses_other_server_names_before_a_byte_passes) {
  static const struct {
    const char *name, *why;
  } cases[] = {
      {"evil.example", "the TLS host evil.example is not on the list"},
      {"umc.example", "the TLS host umc.example is not on the list"},
      {NULL, "the TLS client names no host"},
      {"", "malformed TLS ClientHello"},
      {"10.0.0.1", "malformed TLS ClientHello"},
      {"a b", "malformed TLS ClientHello"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *bytes = hello(cases[i].name, 20);

    for (size_t cut = 0; cut <= hello_len; cut++) {
      char said[512];

      cr_assert_eq(send_cut("sni=*.umc.example", EPI_FORWARD, bytes, hello_len,
                            cut, said),
                   EPI_EDENIED);
      cr_assert(strstr(epi_error_detail(), cases[i].why), "%s",
                epi_error_detail());
      cr_assert_eq(forward.end, forward.start);
    }
  }
}

Test(inspect, refuses_what_is_cut_off_or_not_tls) {
  const char *bytes = hello("www.umc.example", 1000);

  for (size_t len = 1; len < hello_len; len++) {
    char said[512];

    cr_assert_eq(
        send_cut("sni=*.umc.example", EPI_FORWARD, bytes, len, 0, said),
        EPI_EDENIED);
    cr_assert_eq(forward.end, forward.start);
  }
  expect_refused("sni=a.example", "GET / HTTP/1.1\r\n", 16,
                 "does not speak TLS");
  expect_refused("sni=a.example", "\x80\x2e\x01\x03\x01", 5,
                 "neither TLS nor HTTP");
  expect_refused("host=a.example", bytes, hello_len, "TLS, not HTTP");
}

Test(inspect, survives_every_changed_byte_of_a_hello) {
  const char *bytes = hello("www.umc.example", 40);

  for (size_t at = 0; at < hello_len; at++) {
    char changed[512], said[512];

    memcpy(changed, bytes, hello_len);
    for (int bit = 0; bit < 8; bit++) {
      changed[at] = (char)(changed[at] ^ 1 << bit);
      send_cut("sni=www.umc.example", EPI_FORWARD, changed, hello_len, 0, said);
      send_cut("", EPI_FORWARD, changed, hello_len, 0, said);
      changed[at] = (char)(changed[at] ^ 1 << bit);
    }
    epi__queue_clear(&forward, 0);
  }
}

Test(inspect, lets_no_server_speak_first_past_a_list) {
  epi__filter_chain *chain = open_flow("sni=a.example");

  cr_expect_eq(feed(chain, EPI_BACKWARD, "220 hello", 9), EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "before a host was named"));
  cr_expect_eq(backward.end, backward.start);
  epi__filter_chain_free(chain);
}

/* ---- HTTP ---- */

#define ONE  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nhost: A.example:8080\r\n"

static void expect_http(const char *in) {
  for (size_t cut = 0; cut <= strlen(in); cut++) {
    char said[512];

    cr_assert_eq(
        send_cut("host=a.example", EPI_FORWARD, in, strlen(in), cut, said), 0,
        "%s: %s", in, epi_error_detail());
    cr_assert_str_eq(queued(&forward), in);
    cr_assert_str_eq(said, "HTTP host a.example", "%s", said);
  }
}

Test(inspect, lets_requests_for_listed_hosts_through) {
  expect_http(ONE);
  expect_http(ONE ONE "GET http://a.example/?x HTTP/1.0\r\n\r\n");
  expect_http(POST "Content-Length: 3\r\n\r\nGET" ONE);
  expect_http(POST "Transfer-Encoding: Chunked\r\n\r\n"
                   "3\r\nGET\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n" ONE);
}

Test(inspect, refuses_requests_that_it_cannot_be_sure_of) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n", "host b.example is not on"},
      {ONE "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n", "b.example is not on"},
      {POST "Content-Length: 3\r\n\r\nxxxGET / HTTP/1.1\r\nHost: c\r\n\r\n",
       "host c is not on"},
      {POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: c\r\n\r\n",
       "host c is not on"},
      {"GET / HTTP/1.0\r\n\r\n", "names no host"},
      {"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
       "two hosts"},
      {"GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
       "two hosts"},
      {"GET http://a.example@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
       "the host"},
      {"GET / HTTP/1.1\r\nX: y\r\n Host: a.example\r\n\r\n", "a field"},
      {"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "a field"},
      {"GET / HTTP/1.1\r\nHost: a.example\rX: y\r\n\r\n", "a field"},
      {"GET / HTTP/1.1\nHost: a.example\n\n", "the end of a line"},
      {"GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n", "no HTTP/1"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no HTTP/1"},
      {"GET /\r\n\r\n", "no HTTP/1"},
      {"CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
       "another protocol"},
      {"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: x\r\n\r\n",
       "another protocol"},
      {POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", "the length"},
      {POST "Content-Length: +3\r\n\r\n", "the length"},
      {POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "two lengths"},
      {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding"},
      {POST "Transfer-Encoding: chunked\r\n\r\n3;x\r\n", "HTTP body"},
      {POST "Transfer-Encoding: chunked\r\n\r\n3\nabc", "HTTP body"},
      {POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd", "HTTP body"},
      {POST "Transfer-Encoding: chunked\r\n\r\n\r\n", "HTTP body"},
      {POST "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
       "HTTP body"},
      {"GET / HTTP/1.1\r\nHost: a.exa", "ended before it named a host"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    expect_refused("host=a.example", cases[i].text, strlen(cases[i].text),
                   cases[i].why);
  }
}

Test(inspect, lets_no_byte_of_a_request_pass_before_its_host) {
  epi__filter_chain *chain = open_flow("host=a.example");
  static const char head[] =
      "GET / HTTP/1.1\r\nX: y\r\nHost: a.example\r\n\r\n";

  for (size_t i = 0; head[i]; i++) {
    cr_assert_eq(forward.end, forward.start);
    cr_assert_eq(feed(chain, EPI_FORWARD, head + i, 1), 0);
  }
  cr_expect_str_eq(queued(&forward), head);
  cr_expect_eq(feed(chain, EPI_BACKWARD, "HTTP/1.1 200 OK", 15), 0);
  epi__queue_clear(&backward, 0);
  epi__filter_chain_free(chain);
}

Test(inspect, bounds_what_it_keeps) {
  char block[1024];
  epi__filter_chain *chain = open_flow("host=a.example");
  int result = feed(chain, EPI_FORWARD, "GET / HTTP/1.1\r\nX: ", 19);

  memset(block, 'x', sizeof block);
  for (int i = 0; i < 16 && !result; i++) {
    result = feed(chain, EPI_FORWARD, block, sizeof block);
  }
  cr_expect_eq(result, EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "head of over 16384 bytes"), "%s",
            epi_error_detail());
  epi__filter_chain_free(chain);
}

Test(inspect, notes_a_host_and_is_out_of_the_way) {
  epi__filter_chain *chain = open_flow("");

  cr_assert_eq(feed(chain, EPI_FORWARD, "GET / HT", 8), 0);
  cr_expect_str_eq(queued(&forward), "GET / HT", "nothing waits");
  cr_expect_not(epi__filter_chain_passed(chain));
  cr_assert_eq(
      feed(chain, EPI_FORWARD, "TP/1.1\r\nHost: a.example\r\n\r\n", 27), 0);
  cr_expect(epi__filter_chain_passed(chain));
  cr_expect_str_eq(queued(&forward), "TP/1.1\r\nHost: a.example\r\n\r\n");
  cr_expect_str_eq(epi__filter_chain_notes(chain), "HTTP host a.example");
  epi__filter_chain_free(chain);
}

Test(inspect, passes_what_is_neither_tls_nor_http) {
  static const char *const texts[] = {"SSH-2.0-x\r\n", "\x01\x02\x03",
                                      "EHLO a\r\nQUIT\r\n"};

  for (size_t i = 0; i < 3; i++) {
    for (size_t cut = 0; cut <= strlen(texts[i]); cut++) {
      char said[512];

      cr_assert_eq(
          send_cut("", EPI_FORWARD, texts[i], strlen(texts[i]), cut, said), 0);
      cr_assert_str_eq(queued(&forward), texts[i]);
    }
  }
}

Test(inspect, survives_failing_allocations) {
  const char *bytes = hello("www.umc.example", 30);

  file_text = "secret\nother\n";
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_filter *filter = NULL;
    epi__filter_chain *chain = NULL;
    int result = epi__inspect_new(
        &filter, "patterns=words,action=mask,sni=*.umc.example,host=b",
        read_file);

    if (!result) {
      result = epi__filter_chain_new(&chain, &filter, 1, NULL, queues, NULL);
    }
    for (size_t i = 0; i < 2 && !result; i++) {
      size_t half = hello_len / 2;

      result = epi__filter_chain_feed(chain, EPI_FORWARD, bytes + i * half,
                                      i ? hello_len - half : half);
    }
    if (!result) {
      result = epi__filter_chain_feed(chain, EPI_BACKWARD, "a secret s", 10);
    }
    if (!result) {
      result = epi__filter_chain_feed(chain, EPI_BACKWARD, "ecret", 5);
    }
    cr_expect_eq(result != 0, alloc_fail_happened(), "%s", epi_error_detail());
    epi__filter_chain_free(chain);
    epi_filter_free(filter);
    epi__queue_clear(&forward, 0);
    epi__queue_clear(&backward, 0);
  }
}
