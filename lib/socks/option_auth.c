/* option_auth.c: options about authentication (draft-11 sections 8.2, 8.3 and
 * 9). */
#include "base/fail.h"
#include "socks/options.h"

/* ---- methods ---- */

/* Method 0 is always among the methods: clients need not say that they take
 * it, and padding looks the same. */
int epi__option_advert_read(epi__reader *data, epi__advert *out) {
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

/* The methods that are advertised, in order. Returns how many. */
static size_t list_methods(const epi__advert *advert, uint8_t list[256]) {
  size_t count = 0;

  for (unsigned method = 1; method < 256; method++) {
    if (!advert->methods[method / 8]) {
      method |= 7; /* none of these eight, of which this is the last */
    } else if (epi__advert_has(advert, method)) {
      list[count++] = (uint8_t)method;
    }
  }
  return count;
}

/* socksx puts an advertisement into every request, and so it gets one. */
void epi__option_advert_write(epi__writer *out, int version,
                              const epi__advert *advert) {
  uint8_t methods[256];
  size_t count, padding;

  if (!advert->present && version != EPI_SOCKSX) {
    return;
  }
  count = list_methods(advert, methods);
  padding = epi__option_head_write(out, version, EPI__KIND_ADVERT, 2 + count);
  epi__write_u16(out, advert->present ? advert->initial_data : 0);
  epi__write_bytes(out, methods, count);
  epi__write_zeros(out, padding);
}

int epi__option_selection_read(epi__reader *data, int *method) {
  unsigned selected = epi__read_u8(data);

  if (data->missing) {
    return epi__fail(EPI_EPROTO, "method selection has no method");
  }
  if (*method >= 0) {
    return epi__fail(EPI_EPROTO, "method selection comes twice");
  }
  *method = (int)selected;
  return 0;
}

void epi__option_selection_write(epi__writer *out, int version, int method) {
  size_t padding;

  if (method < 0) {
    return;
  }
  padding = epi__option_head_write(out, version, EPI__KIND_SELECTION, 1);
  epi__write_u8(out, (unsigned)method);
  epi__write_zeros(out, padding);
}

/* ---- data ---- */

static int read_method(epi__reader *data, unsigned *method) {
  *method = epi__read_u8(data);
  return data->missing
             ? epi__fail(EPI_EPROTO, "authentication data has no method")
             : 0;
}

/* The bytes of another method, padding included: only the method knows where
 * its data ends. 0 and 255 are no methods to have any. */
static int read_other(epi__reader *data, unsigned method,
                      epi__auth_data *others) {
  const void *held;
  size_t len = data->left;

  if (!epi__auth_data_is_of((int)method)) {
    return 0;
  }
  if (epi__auth_data_get(others, (int)method, &held) >= 0) {
    return epi__fail(EPI_EPROTO, "authentication data of method %u comes twice",
                     method);
  }
  return epi__auth_data_set(others, (int)method, epi__read_bytes(data, len),
                            len);
}

int epi__option_login_read(epi__reader *data, epi__login *login,
                           epi__auth_data *others) {
  unsigned method;
  ptrdiff_t used;

  if (read_method(data, &method)) {
    return EPI_EPROTO;
  }
  if (method != EPI__METHOD_LOGIN) {
    return read_other(data, method, others);
  }
  if (login->user[0]) {
    return epi__fail(EPI_EPROTO, "login comes twice");
  }
  used = epi__login_read(login, data->at, data->left);
  if (used > 0) {
    return 0;
  }
  /* A wrong version in here says nothing about the version of SOCKS. */
  return used == 0 ? epi__fail(EPI_EPROTO, "login goes past its option")
                   : epi__fail(EPI_EPROTO, "%s", epi_error_detail());
}

int epi__option_status_read(epi__reader *data, int *status,
                            epi__auth_data *others) {
  unsigned method, value;

  if (read_method(data, &method)) {
    return EPI_EPROTO;
  }
  if (method != EPI__METHOD_LOGIN) {
    return read_other(data, method, others);
  }
  if (*status >= 0) {
    return epi__fail(EPI_EPROTO, "login reply comes twice");
  }
  if (epi__login_reply_read(&value, data->at, data->left) <= 0) {
    return epi__fail(EPI_EPROTO, "login reply in an option is malformed");
  }
  *status = (int)value;
  return 0;
}

void epi__option_login_write(epi__writer *out, int version,
                             const epi__login *login) {
  epi__writer counter = epi__writer_over(NULL, 0);
  size_t padding;

  if (!login->user[0]) {
    return;
  }
  epi__login_write(&counter, login);
  padding = epi__option_head_write(out, version, EPI__KIND_AUTH_DATA,
                                   1 + counter.used);
  epi__write_u8(out, EPI__METHOD_LOGIN);
  epi__login_write(out, login);
  epi__write_zeros(out, padding);
}

void epi__option_status_write(epi__writer *out, int version, int status) {
  size_t padding;

  if (status < 0) {
    return;
  }
  padding = epi__option_head_write(out, version, EPI__KIND_AUTH_DATA, 3);
  epi__write_u8(out, EPI__METHOD_LOGIN);
  epi__login_reply_write(out, (unsigned)status);
  epi__write_zeros(out, padding);
}

/* What is read includes the padding: socksx gets no more of it than the draft
 * has, or data that is passed on would grow. */
void epi__option_auth_data_write(epi__writer *out, const epi__auth_data *all) {
  for (size_t i = 0; i < all->count; i++) {
    const epi__auth_entry *entry = &all->entries[i];
    size_t padding = epi__option_head_write(
        out, EPI_SOCKS6, EPI__KIND_AUTH_DATA, 1 + entry->len);

    epi__write_u8(out, (unsigned)entry->method);
    epi__write_bytes(out, entry->data, entry->len);
    epi__write_zeros(out, padding);
  }
}
