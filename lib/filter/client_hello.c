/* client_hello.c: which server a TLS client asks for.
 *
 * Records (RFC 8446 section 5.1) may cut a ClientHello anywhere, and the
 * network may cut records anywhere: their content is put together first, and
 * read when it is all there. */
#include "filter/client_hello.h"

#include <string.h>

enum {
  RECORD_MAX = 16384,
  CLIENT_HELLO = 1,
  MESSAGE_HEADER = 4,
  RANDOM = 32,
  SESSION_MAX = 32,
  SERVER_NAME = 0,
  HOST_NAME = 0,
};

static int malformed(void) {
  return epi__fail(EPI_EPROTO, "a malformed TLS ClientHello");
}

/* RFC 6066 section 3: a list of names, of one type so far, each at most once.
 */
static int read_server_name(epi__reader *in, epi_addr *name) {
  epi__reader list = epi__read_part(in, epi__read_u16(in));
  unsigned type = epi__read_u8(&list);
  size_t len = epi__read_u16(&list);
  const uint8_t *bytes = epi__read_bytes(&list, len);

  if (in->missing || in->left || !bytes || list.left || type != HOST_NAME ||
      epi_addr_set_name(name, (const char *)bytes, len, 0) ||
      name->kind != EPI_ADDR_NAME) {
    return malformed();
  }
  return 0;
}

static int read_extensions(epi__reader *in, epi_addr *name) {
  epi_addr found = {0};

  while (in->left) {
    unsigned type = epi__read_u16(in);
    epi__reader data = epi__read_part(in, epi__read_u16(in));

    if (in->missing) {
      return malformed();
    }
    if (type != SERVER_NAME) {
      continue;
    }
    if (found.kind != EPI_ADDR_NONE || read_server_name(&data, &found)) {
      return malformed();
    }
  }
  *name = found;
  return 0;
}

/* RFC 8446 section 4.1.2, the same since SSL 3 but for the extensions, which
 * may be absent. */
static int read_hello(epi__reader *in, epi_addr *name) {
  size_t session, suites;
  epi__reader extensions;

  epi__skip(in, 2 + RANDOM);
  session = epi__read_u8(in);
  epi__skip(in, session);
  suites = epi__read_u16(in);
  epi__skip(in, suites);
  epi__skip(in, epi__read_u8(in)); /* compression methods */
  if (in->missing || session > SESSION_MAX || !suites || suites % 2) {
    return malformed();
  }
  if (!in->left) {
    *name = (epi_addr){0};
    return 0;
  }
  extensions = epi__read_part(in, epi__read_u16(in));
  return in->missing || in->left ? malformed()
                                 : read_extensions(&extensions, name);
}

/* Read the message if it is all there. */
static int read_message(const epi__hello *hello, epi_addr *name) {
  const uint8_t *bytes;
  size_t len = epi__queue_peek(&hello->message, &bytes);
  epi__reader in = epi__reader_over(bytes, len), body;
  unsigned type = epi__read_u8(&in);
  size_t size = (size_t)epi__read_u8(&in) << 16;
  int result;

  size |= epi__read_u16(&in);
  if (len && type != CLIENT_HELLO) {
    return malformed();
  }
  if (in.missing) {
    return 0;
  }
  if (size > EPI__HELLO_MAX) {
    return epi__fail(EPI_ELIMIT, "a TLS ClientHello of over %d bytes",
                     EPI__HELLO_MAX);
  }
  body = epi__read_part(&in, size);
  if (in.missing) {
    return 0;
  }
  result = read_hello(&body, name);
  return result ? result : 1;
}

static int read_header(epi__hello *hello) {
  epi__reader in = epi__reader_over(hello->header, sizeof hello->header);
  unsigned type = epi__read_u8(&in);
  unsigned major = epi__read_u8(&in);

  epi__skip(&in, 1);
  hello->left = epi__read_u16(&in);
  hello->header_len = 0;
  return type != EPI__TLS_HANDSHAKE || major != 3 || !hello->left ||
                 hello->left > RECORD_MAX
             ? malformed()
             : 0;
}

int epi__hello_feed(epi__hello *hello, const uint8_t *data, size_t len,
                    epi_addr *name) {
  int result = 0;

  while (len && !result) {
    size_t part = 1;

    if (!hello->left) {
      hello->header[hello->header_len++] = *data;
      if (hello->header_len == sizeof hello->header) {
        result = read_header(hello);
      }
    } else {
      part = len < hello->left ? len : hello->left;
      result = epi__queue_append(&hello->message, data, part);
      hello->left -= part;
      if (!result) {
        result = read_message(hello, name);
      }
    }
    data += part;
    len -= part;
  }
  return result;
}

void epi__hello_clear(epi__hello *hello) {
  epi__queue_clear(&hello->message, 0);
  memset(hello, 0, sizeof *hello);
}
