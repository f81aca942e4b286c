/* tls_pem.c: the blocks of a PEM text. */
#include "tls/tls_pem.h"

#include "base/fail.h"
#include "base/memory.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/coding.h>

#include <stdio.h>
#include <string.h>

/* Decode what is between the lines that begin and end a block. */
static ptrdiff_t decode(const char *text, size_t len, const char *kind,
                        uint8_t **block_out) {
  word32 size = (word32)len; /* base64 is longer than what it stands for */
  uint8_t *block = epi__alloc(len + 1);

  if (!block) {
    return EPI_ENOMEM;
  }
  if (Base64_Decode((const byte *)text, (word32)len, block, &size) || !size) {
    epi__free(block);
    return epi__fail(EPI_EINVAL, "a PEM block \"%s\" is not base64", kind);
  }
  *block_out = block;
  return (ptrdiff_t)size;
}

ptrdiff_t epi__pem_next(epi__tls_text *rest, const char *kind,
                        uint8_t **block_out) {
  char line[64];
  size_t len = (size_t)snprintf(line, sizeof line, "-----BEGIN %s-----", kind);
  const char *begin =
      rest->len ? memmem(rest->data, rest->len, line, len) : NULL;
  const char *end;
  size_t left;

  if (!begin) {
    rest->len = 0;
    return 0;
  }
  begin += len;
  left = rest->len - (size_t)(begin - rest->data);
  len = (size_t)snprintf(line, sizeof line, "-----END %s-----", kind);
  end = memmem(begin, left, line, len);
  if (!end) {
    return epi__fail(EPI_EINVAL, "a PEM block \"%s\" has no end", kind);
  }
  rest->data = end + len;
  rest->len = left - (size_t)(rest->data - begin);
  return decode(begin, (size_t)(end - begin), kind, block_out);
}
