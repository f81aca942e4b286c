/* test_inspect_host.c: the host that a flow is for, by TLS and by HTTP, however
 * the network cuts it. */
#include "epi/error.h"
#include "support/alloc_fail.h"
#include "support/inspected.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static size_t hello_len;

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

Test(inspect_host, lets_listed_server_names_through) {
  static const char *const args[] = {"sni=www.umc.example", "sni=*.umc.example",
                                     "sni=a.example,sni=WWW.umc.example.", ""};

  for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
    const char *bytes = hello("www.UMC.example", i % 2 ? 1000 : 7);

    for (size_t cut = 0; cut <= hello_len; cut++) {
      const uint8_t *out;
      char said[INSPECTED_NOTES];

      cr_assert_eq(
          inspected_send(args[i], EPI_FORWARD, bytes, hello_len, cut, said), 0,
          "%s", epi_error_detail());
      cr_assert_eq(epi__queue_peek(&inspected_out[EPI_FORWARD], &out),
                   hello_len);
      cr_assert_eq(memcmp(out, bytes, hello_len), 0);
      cr_assert_str_eq(said, "TLS host www.umc.example");
      epi__queue_clear(&inspected_out[EPI_FORWARD], 0);
    }
  }
}

Test(inspect_host, refuses_other_server_names_before_a_byte_passes) {
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
      char said[INSPECTED_NOTES];

      cr_assert_eq(inspected_send("sni=*.umc.example", EPI_FORWARD, bytes,
                                  hello_len, cut, said),
                   EPI_EDENIED);
      cr_assert(strstr(epi_error_detail(), cases[i].why), "%s",
                epi_error_detail());
      cr_assert_eq(inspected_out[EPI_FORWARD].end,
                   inspected_out[EPI_FORWARD].start);
    }
  }
}

Test(inspect_host, refuses_what_is_cut_off_or_not_tls) {
  const char *bytes = hello("www.umc.example", 1000);

  for (size_t len = 1; len < hello_len; len++) {
    char said[INSPECTED_NOTES];

    cr_assert_eq(
        inspected_send("sni=*.umc.example", EPI_FORWARD, bytes, len, 0, said),
        EPI_EDENIED);
    cr_assert_eq(inspected_out[EPI_FORWARD].end,
                 inspected_out[EPI_FORWARD].start);
  }
  cr_expect_eq(inspected_let_in("sni=a.example", "GET / HTTP/1.1\r\n", 16,
                                "does not speak TLS"),
               0u);
  cr_expect_eq(inspected_let_in("sni=a.example", "\x80\x2e\x01\x03\x01", 5,
                                "neither TLS nor HTTP"),
               0u);
  cr_expect_eq(
      inspected_let_in("host=a.example", bytes, hello_len, "TLS, not HTTP"),
      0u);
}

Test(inspect_host, survives_every_changed_byte_of_a_hello) {
  const char *bytes = hello("www.umc.example", 40);

  for (size_t at = 0; at < hello_len; at++) {
    char changed[512], said[INSPECTED_NOTES];

    memcpy(changed, bytes, hello_len);
    for (int bit = 0; bit < 8; bit++) {
      changed[at] = (char)(changed[at] ^ 1 << bit);
      inspected_send("sni=www.umc.example", EPI_FORWARD, changed, hello_len, 0,
                     said);
      inspected_send("", EPI_FORWARD, changed, hello_len, 0, said);
      changed[at] = (char)(changed[at] ^ 1 << bit);
    }
    epi__queue_clear(&inspected_out[EPI_FORWARD], 0);
  }
}

Test(inspect_host, lets_no_server_speak_first_past_a_list) {
  epi__filter_chain *chain = inspected_open("sni=a.example");

  cr_expect_eq(inspected_feed(chain, EPI_BACKWARD, "220 hello", 9),
               EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "before a host was named"));
  cr_expect_eq(inspected_out[EPI_BACKWARD].end,
               inspected_out[EPI_BACKWARD].start);
  epi__filter_chain_free(chain);
}

/* ---- HTTP ---- */

#define ONE  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nhost: A.example:8080\r\n"

static void expect_http(const char *in) {
  for (size_t cut = 0; cut <= strlen(in); cut++) {
    char said[INSPECTED_NOTES];

    cr_assert_eq(inspected_send("host=a.example", EPI_FORWARD, in, strlen(in),
                                cut, said),
                 0, "%s: %s", in, epi_error_detail());
    cr_assert_str_eq(inspected_take(EPI_FORWARD), in);
    cr_assert_str_eq(said, "HTTP host a.example", "%s", said);
  }
}

Test(inspect_host, lets_requests_for_listed_hosts_through) {
  expect_http(ONE);
  expect_http(ONE ONE "GET http://a.example/?x HTTP/1.0\r\n\r\n");
  expect_http(POST "Content-Length: 3\r\n\r\nGET" ONE);
  expect_http(POST "Transfer-Encoding: Chunked\r\n\r\n"
                   "3\r\nGET\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n" ONE);
}

Test(inspect_host, refuses_requests_that_it_cannot_be_sure_of) {
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
    cr_expect_eq(inspected_let_in("host=a.example", cases[i].text,
                                  strlen(cases[i].text), cases[i].why),
                 0u);
  }
}

Test(inspect_host, lets_no_byte_of_a_request_pass_before_its_host) {
  epi__filter_chain *chain = inspected_open("host=a.example");
  static const char head[] =
      "GET / HTTP/1.1\r\nX: y\r\nHost: a.example\r\n\r\n";

  for (size_t i = 0; head[i]; i++) {
    cr_assert_eq(inspected_out[EPI_FORWARD].end,
                 inspected_out[EPI_FORWARD].start);
    cr_assert_eq(inspected_feed(chain, EPI_FORWARD, head + i, 1), 0);
  }
  cr_expect_str_eq(inspected_take(EPI_FORWARD), head);
  cr_expect_eq(inspected_feed(chain, EPI_BACKWARD, "HTTP/1.1 200 OK", 15), 0);
  epi__queue_clear(&inspected_out[EPI_BACKWARD], 0);
  epi__filter_chain_free(chain);
}

Test(inspect_host, bounds_what_it_keeps) {
  char block[1024];
  epi__filter_chain *chain = inspected_open("host=a.example");
  int result = inspected_feed(chain, EPI_FORWARD, "GET / HTTP/1.1\r\nX: ", 19);

  memset(block, 'x', sizeof block);
  for (int i = 0; i < 16 && !result; i++) {
    result = inspected_feed(chain, EPI_FORWARD, block, sizeof block);
  }
  cr_expect_eq(result, EPI_EDENIED);
  cr_expect(strstr(epi_error_detail(), "head of over 16384 bytes"), "%s",
            epi_error_detail());
  epi__filter_chain_free(chain);
}

Test(inspect_host, notes_a_host_and_is_out_of_the_way) {
  epi__filter_chain *chain = inspected_open("");

  cr_assert_eq(inspected_feed(chain, EPI_FORWARD, "GET / HT", 8), 0);
  cr_expect_str_eq(inspected_take(EPI_FORWARD), "GET / HT", "nothing waits");
  cr_expect_not(epi__filter_chain_passed(chain));
  cr_assert_eq(inspected_feed(chain, EPI_FORWARD,
                              "TP/1.1\r\nHost: a.example\r\n\r\n", 27),
               0);
  cr_expect(epi__filter_chain_passed(chain));
  cr_expect_str_eq(inspected_take(EPI_FORWARD),
                   "TP/1.1\r\nHost: a.example\r\n\r\n");
  cr_expect_str_eq(epi__filter_chain_notes(chain), "HTTP host a.example");
  epi__filter_chain_free(chain);
}

Test(inspect_host, passes_what_is_neither_tls_nor_http) {
  static const char *const texts[] = {"SSH-2.0-x\r\n", "\x01\x02\x03",
                                      "EHLO a\r\nQUIT\r\n"};

  for (size_t i = 0; i < 3; i++) {
    for (size_t cut = 0; cut <= strlen(texts[i]); cut++) {
      char said[INSPECTED_NOTES];

      cr_assert_eq(inspected_send("", EPI_FORWARD, texts[i], strlen(texts[i]),
                                  cut, said),
                   0);
      cr_assert_str_eq(inspected_take(EPI_FORWARD), texts[i]);
    }
  }
}

Test(inspect_host, survives_failing_allocations) {
  const char *bytes = hello("www.umc.example", 30);

  inspected_words = "secret\nother\n";
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_filter *filter = NULL;
    epi__filter_chain *chain = NULL;
    int result = epi__inspect_new(
        &filter, "patterns=words,action=mask,sni=*.umc.example,host=b",
        inspected_read);

    if (!result) {
      result = epi__filter_chain_new(
          &chain, &filter, 1, NULL,
          (epi__queue *[2]){&inspected_out[0], &inspected_out[1]}, NULL);
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
    epi__queue_clear(&inspected_out[EPI_FORWARD], 0);
    epi__queue_clear(&inspected_out[EPI_BACKWARD], 0);
  }
}
