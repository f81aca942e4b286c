/* test_vector_datagrams.c: the messages of UDP ASSOCIATE in tests/vectors. */
#include "epi/datagram.h"
#include "support/splits.h"
#include "support/vector_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[VECTOR_BYTES], other[VECTOR_BYTES];

typedef struct target {
  int version;
  epi_datagram *datagram;
} target;

static ptrdiff_t read_datagram(void *user, const void *buf, size_t len) {
  target *to = user;

  return epi_datagram_read(to->datagram, to->version, buf, len);
}

static void expect_addr(const vector *v, const char *key, const epi_addr *addr,
                        int with_port) {
  char text[EPI_ADDR_TEXT_MAX];

  epi_addr_format(addr, with_port, text, sizeof text);
  if (vector_text(v, key)) {
    cr_expect_str_eq(text, vector_text(v, key), "%s: %s",
                     vector_text(v, "case"), key);
  }
}

static uint64_t association_of(const vector *v) {
  size_t len = vector_bytes(v, "association", other);
  uint64_t id = 0;

  for (size_t i = 0; i < len; i++) {
    id = id << 8 | other[i];
  }
  return id;
}

/* What was read, which refers to the buffer it was read from. */
static void expect_content(const vector *v, const epi_datagram *datagram) {
  const char *name = vector_text(v, "case");
  const epi_addr *reporter;
  const void *data;
  size_t len = epi_datagram_data(datagram, &data);

  cr_expect_eq(epi_datagram_type(datagram), vector_number(v, "type", 3), "%s",
               name);
  cr_expect_eq(epi_datagram_association(datagram), association_of(v), "%s",
               name);
  expect_addr(v, "remote", epi_datagram_remote(datagram), 1);
  cr_expect_eq(epi_datagram_fragment(datagram), vector_number(v, "fragment", 0),
               "%s", name);
  cr_expect_eq(epi_datagram_error(datagram, &reporter),
               vector_number(v, "error-code", 0), "%s", name);
  expect_addr(v, "reporter", reporter, 0);
  cr_expect_eq(vector_bytes(v, "data", other), len, "%s: data", name);
  cr_expect(!len || !memcmp(data, other, len), "%s: data", name);
}

static void check_datagram(const vector *v) {
  target to = {.version = (int)vector_number(v, "version", 0)};
  const char *name = vector_text(v, "case");
  size_t len = vector_bytes(v, "bytes", bytes);
  int error = vector_error(v);
  ptrdiff_t used =
      error ? error : (ptrdiff_t)vector_number(v, "used", (int64_t)len);

  cr_assert_eq(epi_datagram_new(&to.datagram), 0);
  cr_expect_eq(splits_whole(read_datagram, &to, bytes, len), used, "%s: %s",
               name, epi_error_detail());
  if (used > 0) {
    if (to.version != EPI_SOCKS5) { /* whose data may end anywhere */
      cr_expect_eq(splits_not_waiting(read_datagram, &to, bytes, (size_t)used),
                   0, "%s", name);
    }
    cr_assert_eq(epi_datagram_read(to.datagram, to.version, bytes, len), used);
    expect_content(v, to.datagram);
    if (!vector_is(v, "rewrite", "no")) {
      cr_expect_eq(
          epi_datagram_write(to.datagram, to.version, other, sizeof other),
          used, "%s", name);
      cr_expect_arr_eq(other, bytes, (size_t)used, "%s", name);
    }
  }
  epi_datagram_free(to.datagram);
}

static void check_vector(const vector *v) {
  if (vector_is(v, "message", "datagram")) {
    check_datagram(v);
  }
}

Test(vector_datagrams, socks5_datagrams_are_read_as_they_say) {
  cr_expect_geq(vectors_each("socks5", check_vector), 50);
}

Test(vector_datagrams, socks6_datagrams_are_read_as_they_say) {
  cr_expect_geq(vectors_each("socks6", check_vector), 300);
}
