/* test_sha256.c: the digests of FIPS 180-4's published examples. */
#include "base/bytes.h"
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *digest(const char *data, size_t len, size_t step) {
  static char text[65];
  epi__sha256 hash;
  uint8_t out[32];

  epi__sha256_start(&hash);
  for (size_t at = 0; at < len; at += step) {
    epi__sha256_add(&hash, data + at, len - at < step ? len - at : step);
  }
  epi__sha256_end(&hash, out);
  epi__hex(text, out, sizeof out);
  return text;
}

Test(sha256, gives_the_published_digests) {
  static char million[1000000];

  cr_expect_str_eq(
      digest("", 0, 1),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  cr_expect_str_eq(
      digest("abc", 3, 1),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  memset(million, 'a', sizeof million);
  cr_expect_str_eq(
      digest(million, sizeof million, 977),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(sha256, does_not_depend_on_how_data_is_split) {
  char data[200];
  char whole[65];

  memset(data, 'q', sizeof data);
  memcpy(whole, digest(data, sizeof data, sizeof data), sizeof whole);
  for (size_t step = 1; step < sizeof data; step++) {
    cr_assert_str_eq(digest(data, sizeof data, step), whole);
  }
}

Test(sha256, an_hmac_gives_the_published_digests) { /* RFC 4231 */
  static const struct {
    const char *key, *data, *digest;
  } cases[] = {
      {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
       "\x0b\x0b\x0b",
       "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    epi__hmac started, hmac;
    uint8_t out[32];
    char text[65];

    epi__hmac_start(&started, cases[i].key, strlen(cases[i].key));
    for (int round = 0; round < 2; round++) {
      hmac = started;
      epi__hmac_add(&hmac, cases[i].data, 3);
      epi__hmac_add(&hmac, cases[i].data + 3, strlen(cases[i].data) - 3);
      epi__hmac_end(&hmac, out);
      epi__hex(text, out, sizeof out);
      cr_expect_str_eq(text, cases[i].digest);
    }
  }
}
