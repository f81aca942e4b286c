/* options.c: the options of SOCKS 6 messages (draft-11 section 8).
 *
 * Every option has a framing that is checked whatever its kind; the kinds that
 * a message does not have are skipped in silence, as the draft asks for. */
#include "socks/options.h"

#include "base/fail.h"

#include <string.h>

enum { HEAD = 4 }; /* kind and length of an option */

size_t epi__options_max(int version) {
  return version == EPI_SOCKS6_12 ? EPI_OPTIONS_MAX_12 : EPI_OPTIONS_MAX;
}

/* socksx need not keep to multiples of 4. */
int epi__options_len_check(int version, const char *what, size_t len) {
  if (len > epi__options_max(version)) {
    return epi__fail(EPI_EPROTO, "%s has %zu bytes of options, at most %zu go",
                     what, len, epi__options_max(version));
  }
  if (version != EPI_SOCKSX && len % 4) {
    return epi__fail(EPI_EPROTO, "%s has an options length of %zu", what, len);
  }
  return 0;
}

/* Returns 1, 0 at the end, or
 * EPI_EPROTO. */
static int next_option(epi__reader *options, int version, unsigned *kind,
                       epi__reader *data) {
  size_t len;

  if (!options->left) {
    return 0;
  }
  *kind = epi__read_u16(options);
  len = epi__read_u16(options);
  if (options->missing || len < HEAD || (version != EPI_SOCKSX && len % 4)) {
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

size_t epi__option_head_write(epi__writer *out, int version, unsigned kind,
                              size_t len) {
  size_t padding = 4 - len % 4;

  if (version != EPI_SOCKSX) {
    padding %= 4;
  }
  epi__write_u16(out, kind);
  epi__write_u16(out, (unsigned)(HEAD + len + padding));
  return padding;
}

void epi__option_fixed_write(epi__writer *out, unsigned kind, size_t len) {
  epi__write_u16(out, kind);
  epi__write_u16(out, (unsigned)(HEAD + len));
}

/* ---- metadata ---- */

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

static void write_metadata(epi__writer *out, int version,
                           const epi__metadata *metadata) {
  for (size_t i = 0; i < metadata->count; i++) {
    const epi__metadata_entry *entry = &metadata->entries[i];
    size_t len = strlen(entry->value);
    size_t padding =
        epi__option_head_write(out, version, EPI__KIND_METADATA, 4 + len);

    epi__write_u16(out, (unsigned)entry->key);
    epi__write_u16(out, (unsigned)len);
    epi__write_bytes(out, entry->value, len);
    epi__write_zeros(out, padding);
  }
}

/* ---- all of a message ---- */

static int read_of_request(unsigned kind, epi__reader *data, epi_request *out) {
  switch (kind) {
  case EPI__KIND_STACK:
    return epi__option_stack_read(data, &out->stack);
  case EPI__KIND_ADVERT:
    return epi__option_advert_read(data, &out->advert);
  case EPI__KIND_AUTH_DATA:
    return epi__option_login_read(data, &out->login, &out->auth_data);
  case EPI__KIND_METADATA:
    return read_metadata(data, &out->metadata);
  default:
    return epi__option_session_read(kind, data, out);
  }
}

int epi__request_options_read(epi__reader *options, int version,
                              epi_request *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, version, &kind, &data)) > 0) {
    int error = read_of_request(kind, &data, out);

    if (error) {
      return error;
    }
  }
  return more ? more : epi__option_session_check(out);
}

static int read_of_auth_reply(unsigned kind, epi__reader *data,
                              epi_auth_reply *out) {
  switch (kind) {
  case EPI__KIND_SELECTION:
    return epi__option_selection_read(data, &out->method);
  case EPI__KIND_AUTH_DATA:
    return epi__option_status_read(data, &out->login_status, &out->auth_data);
  default:
    return epi__option_session_state_read(kind, data, out);
  }
}

int epi__auth_options_read(epi__reader *options, int version,
                           epi_auth_reply *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, version, &kind, &data)) > 0) {
    int error = read_of_auth_reply(kind, &data, out);

    if (error) {
      return error;
    }
  }
  return more ? more : epi__auth_reply_check(out, EPI_EPROTO);
}

static int read_of_reply(unsigned kind, epi__reader *data, epi_reply *out) {
  switch (kind) {
  case EPI__KIND_STACK:
    return epi__option_stack_read(data, &out->stack);
  case EPI__KIND_SESSION_ID:
    return epi__option_session_id_read(data, &out->session_id);
  case EPI__KIND_METADATA:
    return read_metadata(data, &out->metadata);
  default:
    return 0;
  }
}

int epi__reply_options_read(epi__reader *options, int version, epi_reply *out) {
  epi__reader data;
  unsigned kind;
  int more;

  while ((more = next_option(options, version, &kind, &data)) > 0) {
    int error = read_of_reply(kind, &data, out);

    if (error) {
      return error;
    }
  }
  return more;
}

void epi__request_options_write(epi__writer *out, int version,
                                const epi_request *request) {
  epi__option_stack_write(out, &request->stack);
  epi__option_advert_write(out, version, &request->advert);
  epi__option_login_write(out, version, &request->login);
  epi__option_auth_data_write(out, version, &request->auth_data);
  epi__option_session_write(out, request);
  write_metadata(out, version, &request->metadata);
}

void epi__auth_options_write(epi__writer *out, int version,
                             const epi_auth_reply *reply) {
  epi__option_selection_write(out, version, reply->method);
  epi__option_status_write(out, version, reply->login_status);
  epi__option_auth_data_write(out, version, &reply->auth_data);
  epi__option_session_state_write(out, reply);
}

void epi__reply_options_write(epi__writer *out, int version,
                              const epi_reply *reply) {
  epi__option_stack_write(out, &reply->stack);
  epi__option_session_id_write(out, &reply->session_id);
  write_metadata(out, version, &reply->metadata);
}
