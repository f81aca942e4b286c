/* model_criteria.c: the values of the criteria `from`, `to` and `time`. */
#include "area/model_reader.h"

#include "base/memory.h"
#include "base/net.h"

#include <string.h>

static const char *const day_names[] = {"mon", "tue", "wed", "thu",
                                        "fri", "sat", "sun"};

/* The number of what a value names behind its prefix; or EPI__NONE. */
static uint32_t named(epi__model_reader *in, const char *what, const char *name,
                      const epi__names *names) {
  ptrdiff_t number = epi__names_find(names, name);

  if (number < 0) {
    epi__problem_no(in, what, name, names);
    return EPI__NONE;
  }
  return (uint32_t)number;
}

/* Returns 1 if the text is a value. */
static int read_party(epi__model_reader *in, const char *text,
                      epi__party *out) {
  const epi_model *model = in->model;
  const struct {
    const char *prefix, *what;
    int kind;
    const epi__names *names;
  } forms[] = {
      {"domain:", "node is in domain", EPI__PARTY_DOMAIN, &model->domains},
      {"has:", "attribute", EPI__PARTY_HAS, &model->attributes},
      {"area:", "node", EPI__PARTY_AREA, &model->node_names},
      {"", "node", EPI__PARTY_NODE, &model->node_names},
  };
  size_t i = 0;

  if (!strcmp(text, "unknown")) {
    out->kind = EPI__PARTY_UNKNOWN;
    return 1;
  }
  if (!epi__range_parse(&out->range, text)) {
    out->kind = EPI__PARTY_RANGE;
    return 1;
  }
  while (strncmp(text, forms[i].prefix, strlen(forms[i].prefix))) {
    i++;
  }
  if (forms[i].kind == EPI__PARTY_NODE && strchr(text, '/')) {
    epi__problem(in, "%s", epi_error_detail()); /* what is no range */
    return 0;
  }
  out->kind = forms[i].kind;
  out->number =
      named(in, forms[i].what, text + strlen(forms[i].prefix), forms[i].names);
  return out->number != EPI__NONE;
}

static int same(const epi__party *a, const epi__party *b) {
  return a->kind == b->kind && a->number == b->number &&
         a->range.kind == b->range.kind && a->range.bits == b->range.bits &&
         !memcmp(a->range.ip, b->range.ip, sizeof a->range.ip);
}

static void take(epi__model_reader *in, const epi__party *party,
                 epi__parties *out) {
  epi__party *moved;

  for (size_t i = 0; i < out->count; i++) {
    if (same(&out->items[i], party)) {
      epi__problem(in, "is there twice");
      return;
    }
  }
  moved = epi__grow(out->items, out->count, &out->capacity, sizeof *moved);
  if (!moved) {
    in->failed = 1;
    return;
  }
  out->items = moved;
  out->items[out->count++] = *party;
}

void epi__read_parties(epi__model_reader *in, const epi__json *list,
                       epi__parties *out) {
  const epi__json *item;
  size_t i = 0;

  if (!list || epi__too_long(in, list, EPI__VALUES_MAX)) {
    return;
  }
  for (item = epi__json_first(list); item && !in->failed;
       item = epi__json_next(item)) {
    size_t back = epi__path_index(in, i++);
    const char *text = epi__read_string(in, item);
    epi__party party = {0};

    if (text && read_party(in, text, &party)) {
      take(in, &party, out);
    }
    epi__path_back(in, back);
  }
}

static unsigned read_means(epi__model_reader *in, const epi__json *value) {
  const char *text = epi__read_string(in, value);
  unsigned bit = text ? epi__auth_bit(text, strlen(text)) : 0;

  if (text && !bit) {
    epi__problem(in, "must be \"password\", \"certificate\", \"key\", "
                     "\"address\" or \"none\"");
  }
  return bit;
}

unsigned epi__read_authenticated(epi__model_reader *in, const epi__json *list) {
  const epi__json *item = list ? epi__json_first(list) : NULL;
  unsigned set = 0;

  for (size_t i = 0; item; item = epi__json_next(item), i++) {
    size_t back = epi__path_index(in, i);
    unsigned bit = read_means(in, item);

    if (set & bit) {
      epi__problem(in, "is there twice");
    }
    set |= bit;
    epi__path_back(in, back);
  }
  return set;
}

/* Minutes of "HH:MM", 00:00 to 24:00, or -1. */
static int minutes_of(const char *text) {
  static const char form[] = "dd:dd";
  int minutes;

  for (size_t i = 0; i < sizeof form; i++) {
    if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) {
      return -1;
    }
  }
  minutes = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 +
            text[4] - '0';
  return text[3] < '6' && minutes <= 24 * 60 ? minutes : -1;
}

static int read_minutes(epi__model_reader *in, const epi__json *value,
                        const char *key, int absent) {
  size_t back = epi__path_key(in, key);
  const char *text = epi__read_string(in, value);
  int minutes = text ? minutes_of(text) : absent;

  if (minutes < 0) {
    epi__problem(in, "must be \"HH:MM\", from 00:00 to 24:00");
    minutes = absent;
  }
  epi__path_back(in, back);
  return minutes;
}

static void read_day(epi__model_reader *in, const epi__json *value,
                     unsigned *days) {
  const char *text = epi__read_string(in, value);

  for (unsigned i = 0; text && i < 7; i++) {
    if (strcmp(text, day_names[i])) {
      continue;
    }
    if (*days >> i & 1) {
      epi__problem(in, "is there twice");
    }
    *days |= 1u << i;
    return;
  }
  if (text) {
    epi__problem(in, "must be mon, tue, wed, thu, fri, sat or sun");
  }
}

const char *epi__day_name(unsigned day) {
  return day_names[day];
}

void epi__read_window(epi__model_reader *in, const epi__json *value,
                      epi__window *out) {
  static const epi__key keys[] = {
      {"from", EPI__JSON_STRING, 0},
      {"to", EPI__JSON_STRING, 0},
      {"days", EPI__JSON_LIST, 0},
      {NULL, 0, 0},
  };
  const epi__json *values[3], *item;
  size_t i = 0;
  size_t back;

  if (!value) {
    return;
  }
  epi__read_members(in, value, keys, values);
  out->set = 1;
  out->from = read_minutes(in, values[0], keys[0].name, 0);
  out->to = read_minutes(in, values[1], keys[1].name, 24 * 60);
  if (out->from == out->to) {
    epi__problem(in, "is empty: it ends when it begins");
  }
  back = epi__path_key(in, keys[2].name);
  epi__check_filled(in, values[2]);
  for (item = values[2] ? epi__json_first(values[2]) : NULL; item;
       item = epi__json_next(item)) {
    size_t inner = epi__path_index(in, i++);

    read_day(in, item, &out->days);
    epi__path_back(in, inner);
  }
  if (!values[2]) {
    out->days = 0x7f;
  }
  epi__path_back(in, back);
}
