/* test_datagram.c: messages of UDP ASSOCIATE, RFC 1928 and draft-11. */
#include "base/memory.h"
#include "epi/datagram.h"
#include "support/alloc_fail.h"
#include "support/annotated_hex.h"
#include "support/splits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 66000 };

typedef struct datagram_out {
  int version;
  epi_datagram *datagram;
} datagram_out;

static ptrdiff_t read_datagram(void *user, const void *buf, size_t len) {
  datagram_out *out = user;

  return epi_datagram_read(out->datagram, out->version, buf, len);
}

static uint8_t message[MESSAGE], again[MESSAGE];

/* Reads a message in a block of its size, and checks what writing it gives.
 * A beginning of SOCKS 6's is waited for; of SOCKS 5's, which has no length,
 * that is true of the header alone. */
static void check(int version, const char *hex, size_t header,
                  const char *remote, const char *data) {
  size_t len = annotated_hex(message, sizeof message, hex);
  datagram_out out = {.version = version};
  char text[EPI_ADDR_TEXT_MAX];
  const void *held;
  size_t held_len;
  uint8_t *copy = malloc(len);

  cr_assert(copy);
  memcpy(copy, message, len);
  cr_assert_eq(epi_datagram_new(&out.datagram), 0);
  cr_expect_eq(splits_not_waiting(read_datagram, &out, message,
                                  version == EPI_SOCKS5 ? header : len),
               0, "%s", hex);
  cr_expect_eq(epi_datagram_read(out.datagram, version, copy, len),
               (ptrdiff_t)len, "%s: %s", hex, epi_error_detail());
  epi_addr_format(epi_datagram_remote(out.datagram), 1, text, sizeof text);
  cr_expect_str_eq(text, remote);
  held_len = epi_datagram_data(out.datagram, &held);
  cr_expect_eq(held_len, strlen(data));
  cr_expect(!held_len || !memcmp(held, data, held_len));
  cr_expect_eq(epi_datagram_write(out.datagram, version, NULL, 0),
               (ptrdiff_t)len);
  cr_expect_eq(epi_datagram_write(out.datagram, version, again, len - 1),
               EPI_ELIMIT);
  cr_expect_eq(epi_datagram_write(out.datagram, version, again, len),
               (ptrdiff_t)len);
  cr_expect_arr_eq(again, message, len, "%s", hex);
  cr_expect_eq(epi_datagram_write_header(out.datagram, version, again, header),
               (ptrdiff_t)header);
  epi_datagram_free(out.datagram);
  free(copy);
}

static ptrdiff_t whole(int version, const char *hex) {
  datagram_out out = {.version = version};
  ptrdiff_t used;

  cr_assert_eq(epi_datagram_new(&out.datagram), 0);
  used = splits_whole(read_datagram, &out, message,
                      annotated_hex(message, sizeof message, hex));
  epi_datagram_free(out.datagram);
  return used;
}

Test(datagram, reads_and_writes_headers_of_socks5) {
  check(EPI_SOCKS5, "0000 00 01 0a010203 0035 6869", 10, "10.1.2.3:53", "hi");
  check(EPI_SOCKS5, "0000 00 04 20010db8 00*11 01 0035", 22, "[2001:db8::1]:53",
        "");
  check(EPI_SOCKS5, "0000 00 03 09 6c6f63616c686f7374 0035 6869", 16,
        "localhost:53", "hi");
}

Test(datagram, reads_and_writes_datagrams_of_socks6) {
  check(EPI_SOCKS6, "06 03 0016 0102030405060708 01 00 0035 0a010203 6869", 20,
        "10.1.2.3:53", "hi");
  check(EPI_SOCKS6_12,
        "06 03 0020 0102030405060708 04 00 0035 20010db8 00*11 01", 32,
        "[2001:db8::1]:53", "");
}

Test(datagram, has_names_as_its_draft_has_them) {
  check(EPI_SOCKS6,
        "06 03 001c 0102030405060708 03 00 0035 09 6c6f63616c686f7374 6869", 26,
        "localhost:53", "hi");
  check(EPI_SOCKS6_12,
        "06 03 001e 0102030405060708 03 00 0035 0b 6c6f63616c686f7374 0000"
        " 6869",
        28, "localhost:53", "hi");
  cr_expect_eq(whole(EPI_SOCKS6_12, "06 03 001c 0102030405060708 03 00 0035 09"
                                    " 6c6f63616c686f7374 6869"),
               EPI_EPROTO, "nothing is guessed");
}

Test(datagram, reads_and_writes_what_a_proxy_says) {
  check(EPI_SOCKS6, "06 01 000c 0102030405060708", 12, "0.0.0.0:0", "");
  check(EPI_SOCKS6, "06 02 000c ffffffffffffffff", 12, "0.0.0.0:0", "");
  check(EPI_SOCKS6,
        "06 04 001c 0102030405060708 01 00 0035 0a010203 01 02 0000 0a010201",
        28, "10.1.2.3:53", "");
  check(EPI_SOCKS6_12,
        "06 04 0034 0102030405060708 04 00 0035 20010db8 00*11 01"
        " 04 04 0000 20010db8 00*11 02",
        52, "[2001:db8::1]:53", "");
}

Test(datagram, takes_one_message_of_many) {
  cr_expect_eq(whole(EPI_SOCKS6, "06 01 000c 0102030405060708 06 02"), 12);
  cr_expect_eq(whole(EPI_SOCKS6, "06 03 0014 0102030405060708 01 00 0000"
                                 " 00000000 70616464696e67"),
               20);
}

Test(datagram, says_what_a_fragment_is) {
  epi_datagram *datagram;

  cr_assert_eq(epi_datagram_new(&datagram), 0);
  cr_expect_eq(epi_datagram_read(datagram, EPI_SOCKS5,
                                 "\xff\xff\x81\x01\x0a\1\2\3\0\x35", 10),
               10);
  cr_expect_eq(epi_datagram_fragment(datagram), 0x81);
  epi_datagram_free(datagram);
}

Test(datagram, refuses_what_nobody_may_send) {
  static const struct {
    int version, error;
    const char *hex;
  } cases[] = {
      {EPI_SOCKS6, EPI_EVERSION, "05"},
      {EPI_SOCKS6, EPI_EPROTO, "06 00"},
      {EPI_SOCKS6, EPI_EPROTO, "06 05"},
      {EPI_SOCKS6, EPI_EPROTO, "06 01 000b"},
      {EPI_SOCKS6, EPI_EPROTO, "06 01 000d 00*8 00"},
      {EPI_SOCKS6, EPI_EPROTO, "06 03 000c 00*8"},
      {EPI_SOCKS6, EPI_EPROTO, "06 03 0013 00*8 01 00 0035 000000"},
      {EPI_SOCKS6, EPI_EPROTO, "06 03 0014 00*8 02 00 0035 00*4"},
      {EPI_SOCKS6, EPI_EPROTO, "06 03 0014 00*8 03 00 0035 03 612062"},
      {EPI_SOCKS6, EPI_EPROTO, "06 03 0014 00*8 03 00 0035 00 616263"},
      {EPI_SOCKS6, EPI_EPROTO, "06 04 0014 00*8 01 00 0035 0a010203"},
      {EPI_SOCKS6, EPI_EPROTO,
       "06 04 001c 00*8 01 00 0035 00*4 01 00 0000 00*4"},
      {EPI_SOCKS6, EPI_EPROTO,
       "06 04 001c 00*8 01 00 0035 00*4 01 05 0000 00*4"},
      {EPI_SOCKS6, EPI_EPROTO,
       "06 04 001d 00*8 01 00 0035 00*4 01 01 0000 00*5"},
      {EPI_SOCKS6, EPI_EPROTO,
       "06 04 001c 00*8 03 00 0035 03 616263 01 01 0000 00*4"},
      {EPI_SOCKS6, EPI_EPROTO,
       "06 04 001c 00*8 01 00 0035 00*4 03 01 0000 03 616263"},
      {EPI_SOCKS5, EPI_EPROTO, "0000 00 02"},
      {EPI_SOCKS5, EPI_EPROTO, "0000 00 03 01 20 0035"},
      {EPI_SOCKSX, EPI_EINVAL, "06 01 000c 00*8"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(whole(cases[i].version, cases[i].hex), cases[i].error, "%s",
                 cases[i].hex);
  }
}

Test(datagram, holds_what_was_set) {
  epi_datagram *datagram;
  epi_addr addr, ip6, name, none = {0};
  const epi_addr *reporter;

  epi_addr_parse(&ip6, "[2001:db8::1]:7", -1);
  epi_addr_parse(&addr, "10.1.2.3:7", -1);
  epi_addr_parse(&name, "host.example:7", -1);
  cr_assert_eq(epi_datagram_new(&datagram), 0);
  cr_expect_eq(epi_datagram_type(datagram), EPI_UDP_DATAGRAM);
  cr_expect_eq(epi_datagram_set_type(datagram, 0), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_type(datagram, 5), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_remote(datagram, &none), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_remote(datagram, &ip6), 0);
  cr_expect(epi_addr_equal(epi_datagram_remote(datagram), &ip6));
  cr_expect_eq(epi_datagram_write(datagram, EPI_SOCKSX, message, MESSAGE),
               EPI_EINVAL, "socksx has no datagrams");
  cr_expect_eq(epi_datagram_set_remote(datagram, &name), 0);
  cr_expect_eq(epi_datagram_set_data(datagram, again, 65507), 0);
  cr_expect_eq(epi_datagram_set_data(datagram, again, 65508), EPI_ELIMIT);
  cr_expect_eq(epi_datagram_write(datagram, EPI_SOCKS6, message, MESSAGE),
               EPI_ELIMIT, "one byte over what a length can say");
  epi_datagram_set_association(datagram, 1ull << 63 | 5);
  cr_expect_eq(epi_datagram_association(datagram), 1ull << 63 | 5);
  cr_expect_eq(epi_datagram_set_error(datagram, 0, &addr), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_error(datagram, 5, &addr), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_error(datagram, 1, &name), EPI_EINVAL);
  cr_expect_eq(epi_datagram_set_error(datagram, 3, &addr), 0);
  cr_expect_eq(epi_datagram_error(datagram, &reporter), 3);
  cr_expect_eq(reporter->port, 0);
  cr_expect_eq(epi_datagram_set_type(datagram, EPI_UDP_ERROR), 0);
  cr_expect_eq(epi_datagram_write(datagram, EPI_SOCKS6, message, MESSAGE),
               EPI_EINVAL, "an error about a name");
  cr_expect_eq(epi_datagram_write(datagram, EPI_SOCKS5, message, MESSAGE),
               EPI_EINVAL, "SOCKS 5 has no errors");
  epi_datagram_free(datagram);
  epi_datagram_free(NULL);
}

/* The longest name, and random data of any size: what is written reads as the
 * same. */
Test(datagram, survives_the_way_there_and_back) {
  static const int versions[] = {EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12};
  char name[EPI_NAME_MAX];
  epi_datagram *first, *second;
  const void *data;

  memset(name, 'a', sizeof name);
  cr_assert_eq(epi_datagram_new(&first), 0);
  cr_assert_eq(epi_datagram_new(&second), 0);
  srand(1);
  for (int i = 0; i < 3000; i++) {
    int version = versions[i % 3];
    size_t len = (size_t)(rand() % 2000);
    epi_addr addr;
    ptrdiff_t size;

    epi_addr_set_name(&addr, name, (size_t)(1 + i % EPI_NAME_MAX),
                      (uint16_t)rand());
    cr_assert_eq(epi_datagram_set_remote(first, &addr), 0);
    cr_assert_eq(epi_datagram_set_data(first, again, len), 0);
    size = epi_datagram_write(first, version, message, MESSAGE);
    cr_assert_gt(size, 0);
    cr_assert_leq((size_t)size - len, EPI_UDP_HEADER_MAX);
    cr_assert_eq(epi_datagram_read(second, version, message, (size_t)size),
                 size);
    cr_assert(epi_addr_equal(epi_datagram_remote(second), &addr));
    cr_assert_eq(epi_datagram_data(second, &data), len);
    cr_assert(!len || !memcmp(data, again, len));
  }
  epi_datagram_free(first);
  epi_datagram_free(second);
}

Test(datagram, reports_a_lack_of_memory) {
  for (alloc_fail_start(); alloc_fail_more();) {
    epi_datagram *datagram = NULL;
    int result = epi_datagram_new(&datagram);

    cr_assert(result == 0 || result == EPI_ENOMEM);
    epi_datagram_free(datagram);
  }
}
