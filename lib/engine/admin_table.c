/* admin_table.c: JSON as aligned lines and tables. */
#include "engine/admin_text.h"

#include "base/fail.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  CELL_MAX = 400, /* bytes */
  COLUMNS_MAX = 16,
  DEPTH_MAX = 8,
};

static void put_bytes(epi__text *out, double number) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;

  while (number >= 1024 && unit + 1 < sizeof units / sizeof *units) {
    number /= 1024;
    unit++;
  }
  epi__text_printf(out, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
}

static void put_time(epi__text *out, double ms) {
  if (ms < 1000) {
    epi__text_printf(out, "%.0f ms", ms);
  } else if (ms < 100e3) {
    epi__text_printf(out, "%.1f s", ms / 1e3);
  } else if (ms < 100 * 60e3) {
    epi__text_printf(out, "%.0f min", ms / 60e3);
  } else {
    epi__text_printf(out, "%.1f h", ms / 3600e3);
  }
}

static void put_number(epi__text *out, double number, int kind) {
  if (kind == EPI__COLUMN_BYTES) {
    put_bytes(out, number);
  } else if (kind == EPI__COLUMN_TIME) {
    put_time(out, number);
  } else if (number == floor(number) && fabs(number) < 1e15) {
    epi__text_printf(out, "%.0f", number);
  } else {
    epi__json_put_number(out, number);
  }
}

static void put_list(epi__text *out, const epi__json *list) {
  const epi__json *at = epi__json_first(list);

  epi__text_puts(out, at ? "" : "-");
  for (; at; at = epi__json_next(at)) {
    epi__admin_put_value(out, at, EPI__COLUMN_TEXT);
    epi__text_puts(out, epi__json_next(at) ? ", " : "");
  }
}

void epi__admin_put_value(epi__text *out, const epi__json *value, int kind) {
  char clean[CELL_MAX];

  switch (value ? epi__json_type(value) : EPI__JSON_NULL) {
  case EPI__JSON_STRING:
    epi__text_puts(
        out, epi__printable(clean, sizeof clean, epi__json_string(value)));
    break;
  case EPI__JSON_NUMBER:
    put_number(out, epi__json_number(value), kind);
    break;
  case EPI__JSON_BOOL:
    epi__text_puts(out, epi__json_bool(value) ? "yes" : "no");
    break;
  case EPI__JSON_LIST:
    put_list(out, value);
    break;
  case EPI__JSON_OBJECT:
    epi__text_puts(out, "{...}");
    break;
  default:
    epi__text_puts(out, "-");
  }
}

/* ---- tables ---- */

static const epi__json *member(const epi__json *object, const char *key) {
  const epi__json *at = epi__json_first(object);

  while (at && strcmp(epi__json_key(at), key) != 0) {
    at = epi__json_next(at);
  }
  return at;
}

/* In characters, as a terminal has them. */
static size_t width_of(const char *text) {
  size_t width = 0;

  for (; *text; text++) {
    width += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return width;
}

static const char *cell(epi__text *room, const epi__json *row,
                        const epi__admin_column *column) {
  room->len = 0;
  epi__admin_put_value(room, member(row, column->key), column->kind);
  return room->block && !room->failed ? room->block : "";
}

static void put_cell(epi__text *out, const char *text, size_t width, int right,
                     int last) {
  int blanks = (int)(width - width_of(text));

  if (right) {
    epi__text_printf(out, "%*s", blanks, "");
  }
  epi__text_puts(out, text);
  if (!last) {
    epi__text_printf(out, "%*s", (right ? 0 : blanks) + 2, "");
  }
}

void epi__admin_put_table(epi__text *out, const epi__json *list,
                          const epi__admin_column *columns, size_t count) {
  const epi__json *first = list ? epi__json_first(list) : NULL;
  size_t widths[COLUMNS_MAX] = {0};
  epi__text room = {0};

  for (size_t i = 0; i < count; i++) {
    widths[i] = width_of(columns[i].title);
    for (const epi__json *row = first; row; row = epi__json_next(row)) {
      size_t width = width_of(cell(&room, row, &columns[i]));

      widths[i] = width > widths[i] ? width : widths[i];
    }
  }
  for (size_t i = 0; i < count && first; i++) {
    put_cell(out, columns[i].title, widths[i], columns[i].kind, i + 1 == count);
  }
  epi__text_puts(out, first ? "\n" : "");
  for (const epi__json *row = first; row; row = epi__json_next(row)) {
    for (size_t i = 0; i < count; i++) {
      put_cell(out, cell(&room, row, &columns[i]), widths[i], columns[i].kind,
               i + 1 == count);
    }
    epi__text_puts(out, "\n");
  }
  out->failed |= room.failed;
  epi__text_clear(&room);
}

/* ---- objects ---- */

static int is_nested(const epi__json *value) {
  int type = epi__json_type(value);
  const epi__json *first =
      type == EPI__JSON_LIST ? epi__json_first(value) : NULL;

  return type == EPI__JSON_OBJECT ||
         (first && epi__json_type(first) == EPI__JSON_OBJECT);
}

static int kind_of(const char *key) {
  size_t len = strlen(key);

  return len > 3 && !strcmp(key + len - 3, "_ms") ? EPI__COLUMN_TIME
                                                  : EPI__COLUMN_TEXT;
}

static void put_nested(epi__text *out, const epi__json *value, int depth) {
  if (epi__json_type(value) == EPI__JSON_OBJECT) {
    epi__admin_put_object(out, value, depth);
    return;
  }
  for (const epi__json *at = epi__json_first(value); at;
       at = epi__json_next(at)) {
    if (at != epi__json_first(value)) {
      epi__text_printf(out, "%*s-\n", 2 * depth, "");
    }
    epi__admin_put_object(out, at, depth);
  }
}

void epi__admin_put_object(epi__text *out, const epi__json *object, int depth) {
  size_t width = 0;

  if (depth > DEPTH_MAX || epi__json_type(object) != EPI__JSON_OBJECT) {
    epi__text_printf(out, "%*s", 2 * depth, "");
    epi__admin_put_value(out, object, EPI__COLUMN_TEXT);
    epi__text_puts(out, "\n");
    return;
  }
  for (const epi__json *at = epi__json_first(object); at;
       at = epi__json_next(at)) {
    size_t len = width_of(epi__json_key(at));

    width = !is_nested(at) && len > width ? len : width;
  }
  for (const epi__json *at = epi__json_first(object); at;
       at = epi__json_next(at)) {
    const char *key = epi__json_key(at);

    epi__text_printf(out, "%*s%s", 2 * depth, "", key);
    if (is_nested(at)) {
      epi__text_puts(out, ":\n");
      put_nested(out, at, depth + 1);
    } else {
      epi__text_printf(out, "%*s", (int)(width - width_of(key)) + 2, "");
      epi__admin_put_value(out, at, kind_of(key));
      epi__text_puts(out, "\n");
    }
  }
}
