/* socks6_options.c: the options of SOCKS 6 messages (draft-11 section 8).
 *
 * Every option has a framing that is checked whatever its kind; the kinds that
 * are not read here are skipped in silence, as the draft asks for. */
#include "base/fail.h"
#include "socks/wire.h"

#include <string.h>

/* Kinds; 64512 and above are for experiments. */
enum {
  KIND_ADVERT = 2,
  KIND_SELECTION = 3,
  KIND_AUTH_DATA = 4,
  KIND_METADATA = 65000,
};

enum { HEAD = 4 }; /* kind and length of an option */

size_t epi__options_max(int draft) {
  return draft == EPI_SOCKS6_12 ? EPI_OPTIONS_MAX_12 : EPI_OPTIONS_MAX;
}

/* Read the next option. Returns 1, 0 at the end, or EPI_EPROTO. */
static int next_option(epi__reader *options, unsigned *kind,
                       epi__reader *data) {
  size_t len;

  if (!options->left) {
    return 0;
  }
  *kind = epi__read_u16(options);
  len = epi__read_u16(options);
  if (options->missing || len < HEAD || len % 4) {
    return epi__fail(EPI_EPROTO, "option of kind %u has length %zu", *kind,
                     len);
  }
  *data = epi__read_part(options, len - HEAD);
  if (options->missing) {
    return epi__fail(EPI_EPROTO, "option of kind %u goes past the options",
                     *kind);
  }
  return 1;
}

/* ---- reading ---- */

/* Method 0 is always among the methods: clients need not say that they take
 * it, and padding looks the same. */
static int read_advert(epi__reader *data, epi__advert *out) {
  epi__advert advert = {.present = 1};

  advert.initial_data = epi__read_u16(data);
  if (data->missing) {
    return epi__fail(EPI_EPROTO, "method advertisement is too short");
  }
  if (advert.initial_data > EPI_INITIAL_DATA_MAX) {
    return epi__fail(EPI_EPROTO, "initial data of %u bytes, at most %d go",
                     advert.initial_data, EPI_INITIAL_DATA_MAX);
  }
  if (out->present) {
    return epi__fail(EPI_EPROTO, "method advertisement comes twice");
  }
  epi__advert_add(&advert, EPI__METHOD_NONE);
  while (data->left) {
    epi__advert_add(&advert, epi__read_u8(data));
  }
  *out = advert;
  return 0;
}

static int read_login(epi__reader *data, epi__login *out) {
  unsigned method = epi__read_u8(data);
  ptrdiff_t used;

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "authentication data has no method");
  }
  if (method != EPI__METHOD_LOGIN) {
    return 0;
  }
  if (out->user[0]) {
    return epi__fail(EPI_EPROTO, "login comes twice");
  }
  used = epi__login_read(out, data->at, data->left);
  if (used > 0) {
    return 0;
  }
  /* A wrong version in here says nothing about the version of SOCKS. */
  return used == 0 ? epi__fail(EPI_EPROTO, "login goes past its option")
                   : epi__fail(EPI_EPROTO, "%s", epi_error_detail());
}

static int read_metadata(epi__reader *data, epi__metadata *out) {
  int key = (int)epi__read_u16(data);
  size_t len = epi__read_u16(data);
  const uint8_t *value = epi__read_bytes(data, len);
  int error;

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "metadata goes past its option");
  }
  error = epi__metadata_set(out, key, (const char *)value, len);
  if (error && error != EPI_ENOMEM) {
    return epi__fail(EPI_EPROTO, "%s", epi_error_detail());
  }
  return error;
}

int epi__request_options_read(epi__reader *options, epi_request *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, &kind, &data)) > 0) {
    int error = 0;

    switch (kind) {
    case KIND_ADVERT:
      error = read_advert(&data, &out->advert);
      break;
    case KIND_AUTH_DATA:
      error = read_login(&data, &out->login);
      break;
    case KIND_METADATA:
      error = read_metadata(&data, &out->metadata);
      break;
    default:
      break;
    }
    if (error) {
      return error;
    }
  }
  return more;
}

int epi__auth_options_read(epi__reader *options, epi__auth_reply *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, &kind, &data)) > 0) {
    unsigned method = epi__read_u8(&data);

    if (kind != KIND_SELECTION && kind != KIND_AUTH_DATA) {
      continue;
    }
    if (data.missing) {
      return epi__fail(EPI_EPROTO, "option of kind %u has no method", kind);
    }
    if (kind == KIND_SELECTION) {
      out->method = (int)method;
    } else if (method == EPI__METHOD_LOGIN) {
      unsigned status;

      if (epi__login_reply_read(&status, data.at, data.left) <= 0) {
        return epi__fail(EPI_EPROTO, "login reply in an option is malformed");
      }
      out->login_status = (int)status;
    }
  }
  return more;
}

int epi__reply_options_read(epi__reader *options, epi_reply *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, &kind, &data)) > 0) {
    int error =
        kind == KIND_METADATA ? read_metadata(&data, &out->metadata) : 0;

    if (error) {
      return error;
    }
  }
  return more;
}

/* ---- writing ---- */

/* Write the head of an option with len bytes of data; the padding that goes
 * behind them is returned. */
static size_t write_head(epi__writer *out, unsigned kind, size_t len) {
  size_t padding = (4 - len % 4) % 4;

  epi__write_u16(out, kind);
  epi__write_u16(out, (unsigned)(HEAD + len + padding));
  return padding;
}

static void write_advert(epi__writer *out, const epi__advert *advert) {
  size_t count = 0, padding;

  for (unsigned method = 1; method < 256; method++) {
    count += (size_t)epi__advert_has(advert, method);
  }
  padding = write_head(out, KIND_ADVERT, 2 + count);
  epi__write_u16(out, advert->initial_data);
  for (unsigned method = 1; method < 256; method++) {
    if (epi__advert_has(advert, method)) {
      epi__write_u8(out, method);
    }
  }
  epi__write_zeros(out, padding);
}

static void write_login(epi__writer *out, const epi__login *login) {
  epi__writer counter = epi__writer_over(NULL, 0);
  size_t padding;

  epi__login_write(&counter, login);
  padding = write_head(out, KIND_AUTH_DATA, 1 + counter.used);
  epi__write_u8(out, EPI__METHOD_LOGIN);
  epi__login_write(out, login);
  epi__write_zeros(out, padding);
}

static void write_metadata(epi__writer *out, const epi__metadata *metadata) {
  for (size_t i = 0; i < metadata->count; i++) {
    const epi__metadata_entry *entry = &metadata->entries[i];
    size_t len = strlen(entry->value);
    size_t padding = write_head(out, KIND_METADATA, 4 + len);

    epi__write_u16(out, (unsigned)entry->key);
    epi__write_u16(out, (unsigned)len);
    epi__write_bytes(out, entry->value, len);
    epi__write_zeros(out, padding);
  }
}

void epi__request_options_write(epi__writer *out, const epi_request *request) {
  if (request->advert.present) {
    write_advert(out, &request->advert);
  }
  if (request->login.user[0]) {
    write_login(out, &request->login);
  }
  write_metadata(out, &request->metadata);
}

void epi__auth_options_write(epi__writer *out, const epi__auth_reply *reply) {
  if (reply->method >= 0) {
    size_t padding = write_head(out, KIND_SELECTION, 1);

    epi__write_u8(out, (unsigned)reply->method);
    epi__write_zeros(out, padding);
  }
  if (reply->login_status >= 0) {
    size_t padding = write_head(out, KIND_AUTH_DATA, 3);

    epi__write_u8(out, EPI__METHOD_LOGIN);
    epi__login_reply_write(out, (unsigned)reply->login_status);
    epi__write_zeros(out, padding);
  }
}

void epi__reply_options_write(epi__writer *out, const epi_reply *reply) {
  write_metadata(out, &reply->metadata);
}
