/* sandbox.c: what a process gives up, in the order in which it can. */
#include "os/sandbox_parts.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"

#include <string.h>
#include <sys/stat.h>

static const struct {
  const char *word;
  int part;
} parts[] = {{"capabilities", EPI_SANDBOX_CAPABILITIES},
             {"no-gain", EPI_SANDBOX_NO_GAIN},
             {"no-dump", EPI_SANDBOX_NO_DUMP},
             {"files", EPI_SANDBOX_FILES},
             {"calls", EPI_SANDBOX_CALLS}};

enum {
  PARTS = sizeof parts / sizeof *parts,
  KEEP_ALL = EPI_SANDBOX_KEEP_MARKS | EPI_SANDBOX_KEEP_LOW_PORTS |
             EPI_SANDBOX_KEEP_REDIRECT | EPI_SANDBOX_KEEP_PROGRAMS,
};

int epi_sandbox_new(epi_sandbox **out) {
  epi_sandbox *sandbox = epi__alloc(sizeof *sandbox);

  if (!sandbox) {
    return EPI_ENOMEM;
  }
  sandbox->wanted = EPI_SANDBOX_ALL;
  *out = sandbox;
  return 0;
}

void epi_sandbox_free(epi_sandbox *sandbox) {
  if (sandbox) {
    epi__sandbox_paths_clear(&sandbox->files);
    epi__sandbox_paths_clear(&sandbox->folders);
    epi__text_clear(&sandbox->text);
    epi__free(sandbox);
  }
}

static int not_entered(const epi_sandbox *sandbox) {
  return sandbox->entered ? epi__fail(EPI_ESTATE, "the sandbox was entered")
                          : 0;
}

int epi_sandbox_set_parts(epi_sandbox *sandbox, int wanted, int required) {
  if (not_entered(sandbox)) {
    return EPI_ESTATE;
  }
  if ((wanted | required) & ~EPI_SANDBOX_ALL) {
    return epi__fail(EPI_EINVAL, "a sandbox has no such part");
  }
  sandbox->wanted = wanted | required;
  if (sandbox->wanted & (EPI_SANDBOX_FILES | EPI_SANDBOX_CALLS)) {
    sandbox->wanted |= EPI_SANDBOX_NO_GAIN; /* the kernel asks for it */
  }
  sandbox->required = required;
  return 0;
}

/* The part that a word of len bytes means, or 0. */
static int part_of(const char *word, size_t len) {
  for (size_t i = 0; i < PARTS; i++) {
    if (len == strlen(parts[i].word) && !memcmp(word, parts[i].word, len)) {
      return parts[i].part;
    }
  }
  return 0;
}

static int is(const char *word, size_t len, const char *text) {
  return len == strlen(text) && !memcmp(word, text, len);
}

int epi_sandbox_parse(epi_sandbox *sandbox, const char *words) {
  int wanted = 0, require = 0;

  if (!strcmp(words, "none")) {
    return epi_sandbox_set_parts(sandbox, 0, 0);
  }
  for (const char *at = words;; at++) {
    size_t len = strcspn(at, ",");
    int part = part_of(at, len);

    if (is(at, len, "require")) {
      require = 1;
    } else if (!part) {
      return epi__fail(EPI_EINVAL,
                       "a sandbox has capabilities, no-gain, no-dump, files "
                       "and calls, which `require` can make a must; not "
                       "'%.*s'",
                       (int)(len < 40 ? len : 40), at);
    }
    wanted |= part;
    at += len;
    if (!*at) {
      break;
    }
  }
  wanted = wanted ? wanted : EPI_SANDBOX_ALL;
  return epi_sandbox_set_parts(sandbox, wanted, require ? wanted : 0);
}

int epi_sandbox_keep(epi_sandbox *sandbox, int what) {
  if (not_entered(sandbox)) {
    return EPI_ESTATE;
  }
  if (what & ~KEEP_ALL) {
    return epi__fail(EPI_EINVAL, "a sandbox keeps no such thing");
  }
  sandbox->keep |= what;
  return 0;
}

int epi_sandbox_set_user(epi_sandbox *sandbox, const char *user) {
  return not_entered(sandbox) ? EPI_ESTATE
                              : epi__sandbox_find_user(&sandbox->user, user);
}

/* ---- entering ---- */

/* Threads beside this one. */
static int other_threads(void) {
  struct stat info;

  return !EPI__SANITIZED && !stat("/proc/self/task", &info) && info.st_nlink > 3
             ? (int)info.st_nlink - 3
             : 0;
}

static void tell_next(epi_sandbox *sandbox) {
  if (sandbox->text.len) {
    epi__text_puts(&sandbox->text, "; ");
  }
}

/* What became of a part, with the error detail if it failed. Returns 0, or
 * EPI_ENOTSUP if it had to be. */
static int note(epi_sandbox *sandbox, size_t index, int failed) {
  int part = parts[index].part;
  char why[256] = "";

  if (!failed) {
    sandbox->active |= part;
    return 0;
  }
  strncat(why, epi_error_detail(), sizeof why - 1);
  tell_next(sandbox);
  epi__text_printf(&sandbox->text, "NO %s: %s", parts[index].word, why);
  return sandbox->required & part
             ? epi__fail(EPI_ENOTSUP, "the sandbox must have %s: %s",
                         parts[index].word, why)
             : 0;
}

static int enter_rights(epi_sandbox *sandbox) {
  int drop = (sandbox->wanted & EPI_SANDBOX_CAPABILITIES) != 0;
  int result;

  if (sandbox->user.set) {
    epi__text_printf(&sandbox->text, "user %u, group %u",
                     (unsigned)sandbox->user.uid, (unsigned)sandbox->user.gid);
  }
  if (drop) {
    tell_next(sandbox);
  }
  result =
      epi__sandbox_drop(&sandbox->user, drop, sandbox->keep, &sandbox->text);
  if (!result && drop) {
    sandbox->active |= EPI_SANDBOX_CAPABILITIES;
  }
  return result;
}

static int enter_files(epi_sandbox *sandbox) {
  int failed = epi__sandbox_files(&sandbox->folders);

  if (!failed) {
    tell_next(sandbox);
    epi__text_puts(&sandbox->text, "files:");
    epi__sandbox_tell_folders(&sandbox->folders, &sandbox->text);
  }
  return failed;
}

static int enter_calls(epi_sandbox *sandbox) {
  int count = 0;
  int failed = epi__sandbox_calls(sandbox->keep, &count);

  if (!failed) {
    tell_next(sandbox);
    epi__text_printf(&sandbox->text, "calls: %d refused%s", count,
                     sandbox->keep & EPI_SANDBOX_KEEP_PROGRAMS
                         ? ", programs may be run"
                         : ", with them running programs");
  }
  return failed;
}

static int enter_part(epi_sandbox *sandbox, int part) {
  int failed;

  switch (part) {
  case EPI_SANDBOX_NO_GAIN:
    failed = epi__sandbox_gain_nothing();
    break;
  case EPI_SANDBOX_NO_DUMP:
    failed = epi__sandbox_no_dump();
    break;
  case EPI_SANDBOX_FILES:
    return sandbox->keep & EPI_SANDBOX_KEEP_PROGRAMS
               ? epi__fail(EPI_ENOTSUP,
                           "programs may be run, which need theirs")
               : enter_files(sandbox);
  default:
    return enter_calls(sandbox);
  }
  if (!failed) {
    tell_next(sandbox);
    epi__text_puts(&sandbox->text, part == EPI_SANDBOX_NO_GAIN
                                       ? "no new privileges"
                                       : "no core dumps");
  }
  return failed;
}

static void tell_rest(epi_sandbox *sandbox, int threads) {
  for (size_t i = 0; i < PARTS; i++) {
    if (!(sandbox->wanted & parts[i].part)) {
      tell_next(sandbox);
      epi__text_printf(&sandbox->text, "%s: off", parts[i].word);
    }
  }
  if (threads && sandbox->wanted) {
    epi__text_printf(&sandbox->text,
                     "; %d OTHER THREADS ran before, and keep what they have",
                     threads);
  }
}

int epi_sandbox_enter(epi_sandbox *sandbox) {
  int threads = other_threads();
  int result = not_entered(sandbox);

  if (result) {
    return result;
  }
  if (threads && sandbox->required) {
    return epi__fail(EPI_ESTATE, "%d other threads run: enter before", threads);
  }
  epi__process_prepare(); /* while /proc can be opened */
  sandbox->entered = 1;
  result = enter_rights(sandbox);
  for (size_t i = 1; i < PARTS && !result; i++) {
    if (sandbox->wanted & parts[i].part) {
      result = note(sandbox, i, enter_part(sandbox, parts[i].part));
    }
  }
  if (result) {
    return result;
  }
  tell_rest(sandbox, threads);
  epi__sandbox_tell_lost(&sandbox->files, &sandbox->text);
  return sandbox->text.failed ? EPI_ENOMEM : 0;
}

int epi_sandbox_active(const epi_sandbox *sandbox) {
  return sandbox->active;
}

const char *epi_sandbox_text(const epi_sandbox *sandbox) {
  return sandbox->entered && sandbox->text.block ? sandbox->text.block : "";
}
