/* model_reader.c: paths, problems and members of objects. */
#include "area/model_reader.h"

#include "base/memory.h"
#include "base/net.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  SHOWN = 80,        /* bytes of a text that a problem quotes */
  PATH_SHOWN = 1024, /* and of the path to it */
  /* Names times the length of what they are compared with, in all problems of
   * a document: a second of work or so. */
  GUESSED_OVER = 32 * 1024 * 1024,
  SHORT_MIN = 3, /* bytes from which a text may be short for a name */
};

static size_t step(epi__model_reader *in, const char *key, size_t index) {
  assert(in->depth < sizeof in->path / sizeof *in->path);
  in->path[in->depth].key = key;
  in->path[in->depth].index = index;
  return in->depth++;
}

size_t epi__path_key(epi__model_reader *in, const char *key) {
  return step(in, key, 0);
}

size_t epi__path_index(epi__model_reader *in, size_t index) {
  return step(in, NULL, index);
}

void epi__path_back(epi__model_reader *in, size_t back) {
  in->depth = back;
}

/* Where we are, as in `applications.train.flows[2].to`. */
static void write_path(const epi__model_reader *in, char *out, size_t size) {
  char text[SHOWN];
  size_t used = 0;

  snprintf(out, size, "%s", in->depth ? "" : "the document");
  for (size_t i = 0; i < in->depth; i++) {
    size_t room = size - used;
    int len;

    if (in->path[i].key) {
      len = snprintf(out + used, room, used ? ".%s" : "%s",
                     epi__printable(text, sizeof text, in->path[i].key));
    } else {
      len = snprintf(out + used, room, "[%zu]", in->path[i].index);
    }
    used += (size_t)len < room ? (size_t)len : room - 1;
  }
}

void epi__problem(epi__model_reader *in, const char *format, ...) {
  char path[PATH_SHOWN], text[512];
  va_list args;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  write_path(in, path, sizeof path);
  if (!in->problem_count++) {
    snprintf(in->first, sizeof in->first, "%.200s: %.300s", path, text);
  }
  if (epi__report_add(in->problems, "%s: %s", path, text)) {
    in->failed = 1;
  }
}

/* The name that text is short for, if there is one only: `setup` for
 * `setup_ms`. */
static const char *long_form(const epi__names *known, const char *text) {
  size_t len = strlen(text);
  const char *found = NULL;

  for (size_t i = 0; i < known->count && len >= SHORT_MIN; i++) {
    if (!strncmp(known->texts[i], text, len)) {
      if (found) {
        return NULL;
      }
      found = known->texts[i];
    }
  }
  return found;
}

/* Append to a problem what was perhaps meant, or that nobody looked. */
static void guess(epi__model_reader *in, const char *text,
                  const epi__names *known, char *hint, size_t size) {
  size_t len = strlen(text) + 1;
  char meant[SHOWN];
  const char *near;

  *hint = '\0';
  if (known->count > (GUESSED_OVER - in->guessed_over) / len) {
    snprintf(hint, size, " (no hint: too many names were compared)");
    return;
  }
  in->guessed_over += known->count * len;
  near = epi__names_near(known, text);
  near = near ? near : long_form(known, text);
  if (near) {
    snprintf(hint, size, ", did you mean \"%s\"?",
             epi__printable(meant, sizeof meant, near));
  }
}

void epi__problem_no(epi__model_reader *in, const char *what, const char *text,
                     const epi__names *known) {
  char shown[SHOWN], hint[SHOWN + 32];

  guess(in, text, known, hint, sizeof hint);
  epi__problem(in, "no %s \"%s\"%s", what,
               epi__printable(shown, sizeof shown, text), hint);
}

static void unknown_key(epi__model_reader *in, const char *name,
                        const epi__key *keys) {
  epi__names known = {0};
  char hint[SHOWN + 32];

  for (; keys->name; keys++) {
    if (epi__names_add(&known, keys->name) < 0) {
      in->failed = 1;
    }
  }
  guess(in, name, &known, hint, sizeof hint);
  epi__problem(in, "unknown key%s", hint);
  epi__names_clear(&known);
}

static void take_member(epi__model_reader *in, const epi__json *member,
                        const epi__key *keys, const epi__json **values,
                        uint64_t *seen) {
  const char *name = epi__json_key(member);
  size_t back = epi__path_key(in, name);
  size_t i = 0;

  while (keys[i].name && strcmp(keys[i].name, name)) {
    i++;
  }
  if (!keys[i].name) {
    unknown_key(in, name, keys);
  } else if (*seen >> i & 1) {
    epi__problem(in, "is there twice");
  } else {
    *seen |= (uint64_t)1 << i;
    if (epi__json_type(member) == keys[i].type) {
      values[i] = member;
    } else {
      epi__problem(in, "must be %s, not %s", epi__json_type_name(keys[i].type),
                   epi__json_type_name(epi__json_type(member)));
    }
  }
  epi__path_back(in, back);
}

void epi__read_members(epi__model_reader *in, const epi__json *object,
                       const epi__key *keys, const epi__json **values) {
  const epi__json *member = NULL;
  uint64_t seen = 0;

  for (size_t i = 0; keys[i].name; i++) {
    values[i] = NULL;
  }
  if (!object) {
    return;
  }
  if (epi__json_type(object) != EPI__JSON_OBJECT) {
    epi__problem(in, "must be an object, not %s",
                 epi__json_type_name(epi__json_type(object)));
    return;
  }
  for (member = epi__json_first(object); member;
       member = epi__json_next(member)) {
    take_member(in, member, keys, values, &seen);
  }
  for (size_t i = 0; keys[i].name; i++) {
    if (keys[i].required && !(seen >> i & 1)) {
      size_t back = epi__path_key(in, keys[i].name);

      epi__problem(in, "is missing");
      epi__path_back(in, back);
    }
  }
}

int epi__check_name(epi__model_reader *in, const char *text) {
  size_t len = strlen(text);

  if (!len || len > EPI_NAME_MAX) {
    epi__problem(in, "a name has 1 to %d bytes, not %zu", EPI_NAME_MAX, len);
    return 0;
  }
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];

    if (c < 0x20 || c == 0x7f) {
      epi__problem(in, "a name has no control characters");
      return 0;
    }
  }
  if (text[0] == ' ' || text[len - 1] == ' ') {
    epi__problem(in, "a name neither begins nor ends with a space");
    return 0;
  }
  return 1;
}

void epi__read_names(epi__model_reader *in, const epi__json *object, size_t max,
                     epi__names *names) {
  const epi__json *member;

  for (member = object ? epi__json_first(object) : NULL; member && !in->failed;
       member = epi__json_next(member)) {
    const char *name = epi__json_key(member);
    size_t back, count = names->count;

    if (count == max) {
      epi__problem(in, "more than %zu of these", max);
      return;
    }
    back = epi__path_key(in, name);
    epi__check_name(in, name);
    if (epi__names_add(names, name) < 0) {
      in->failed = 1;
    } else if (names->count == count) {
      epi__problem(in, "is there twice");
    }
    epi__path_back(in, back);
  }
}

const epi__json *epi__next_named(const epi__json *object,
                                 const epi__json *member,
                                 const epi__names *names, size_t *number) {
  size_t next = member ? *number + 1 : 0;

  if (!object || next == names->count) {
    return NULL;
  }
  member = member ? epi__json_next(member) : epi__json_first(object);
  while (member && strcmp(epi__json_key(member), names->texts[next])) {
    member = epi__json_next(member); /* one that is there twice */
  }
  *number = next;
  return member;
}
