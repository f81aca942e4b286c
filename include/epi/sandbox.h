/* sandbox.h: what a process gives up once it has what it needs.
 *
 * A process that takes bytes from strangers should be able to do little else.
 * Say what it goes on to need, then enter, after files are read and sockets are
 * bound, and before the first connection:
 *
 *     epi_sandbox_new(&sandbox);
 *     epi_sandbox_allow(sandbox, "/etc/epi/model.json", EPI_SANDBOX_READ);
 *     epi_engine_sandbox(engine, sandbox);       what the engine needs
 *     epi_sandbox_enter(sandbox);
 *     epi_engine_start(engine);
 *
 * There is no way back, not for programs that are run from inside either. It is
 * for the calling thread and those that it starts afterwards, so enter before
 * there are others. doc/sandbox.md says what each part does, and what it does
 * not. Linux alone has it; elsewhere nothing of it is active. */
#ifndef EPI_SANDBOX_H
#define EPI_SANDBOX_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct epi_sandbox epi_sandbox;

/* The parts, as bits:
 *
 *     CAPABILITIES  those that are not needed are dropped, for good
 *     NO_GAIN       running a set-user-id program gains nothing; comes with
 *                   FILES and CALLS
 *     NO_DUMP       no core file has the process's secrets, and nobody but
 *                   root may look into it
 *     FILES         only the files that are allowed can be opened (landlock)
 *     CALLS         system calls that are not needed and could do harm fail
 *                   (seccomp) */
#define EPI_SANDBOX_CAPABILITIES 1
#define EPI_SANDBOX_NO_GAIN      2
#define EPI_SANDBOX_NO_DUMP      4
#define EPI_SANDBOX_FILES        8
#define EPI_SANDBOX_CALLS        16
#define EPI_SANDBOX_ALL          31

/* What is needed all the same, as bits: marks on own connections
 * (EPI_ENGINE_MARK); ports below 1024; rules of interception (redirect.h) and
 * what they need; running programs, which takes FILES away, for nobody knows
 * which files a program needs. */
#define EPI_SANDBOX_KEEP_MARKS     1
#define EPI_SANDBOX_KEEP_LOW_PORTS 2
#define EPI_SANDBOX_KEEP_REDIRECT  4
#define EPI_SANDBOX_KEEP_PROGRAMS  8

/* What may be done with a file: READ it; or WRITE, make, replace and remove
 * it, and read it. */
#define EPI_SANDBOX_READ  1
#define EPI_SANDBOX_WRITE 2

/* Make a sandbox with all parts, that keeps and allows nothing.
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_sandbox_new(epi_sandbox **out);

/* Free the object; a process that has entered stays inside. NULL is fine. */
EPI_API void epi_sandbox_free(epi_sandbox *sandbox);

/* Choose the parts: wanted are entered where the system has them, and those of
 * required, which are then wanted too, or entering fails.
 *
 * Returns 0, EPI_EINVAL (no such part) or EPI_ESTATE (it was entered). */
EPI_API int epi_sandbox_set_parts(epi_sandbox *sandbox, int wanted,
                                  int required);

/* The same by words with commas between them, as for an option: `capabilities`,
 * `no-gain`, `no-dump`, `files`, `calls` are the parts that are wanted, all if
 * none is named; `require` makes them required; `none` alone is no part.
 *
 * Returns 0, EPI_EINVAL (no such word) or EPI_ESTATE. */
EPI_API int epi_sandbox_parse(epi_sandbox *sandbox, const char *words);

/* Keep more: bits of EPI_SANDBOX_KEEP_*, beside those that are kept already.
 *
 * Returns 0, EPI_EINVAL (no such bit) or EPI_ESTATE. */
EPI_API int epi_sandbox_keep(epi_sandbox *sandbox, int what);

/* Become another user on entering: NAME, NAME:GROUP, or numbers. Without a
 * group it is the user's own, with his further groups. It takes root, or
 * CAP_SETUID and CAP_SETGID, unless one is that user already.
 *
 * Returns 0, EPI_ENOENT (no such user or group), EPI_ELIMIT (over 256 groups)
 * or EPI_ESTATE. */
EPI_API int epi_sandbox_set_user(epi_sandbox *sandbox, const char *user);

/* Allow a file: READ or WRITE. What counts is its folder, so that a file that
 * takes its place is seen, and the folder that it is in if it is a link; a
 * device or pipe counts alone, and a folder is allowed with what is in it.
 * What name resolution and shared objects read is always allowed.
 *
 * "-", standard input, needs nothing. Returns 0, EPI_EINVAL (neither, or no
 * path), EPI_ENOENT (there is no such folder), EPI_ELIMIT (over 256 files or
 * folders), EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_sandbox_allow(epi_sandbox *sandbox, const char *path,
                              int access);

/* Allow what a filter's text names, `NAME[:ARGS]` or a shared object, as for
 * epi_filter_new_builtin() and epi_filter_new_from_file(): keys and rules to
 * read, the file of a record to write.
 *
 * Returns as epi_sandbox_allow(). */
EPI_API int epi_sandbox_allow_filter(epi_sandbox *sandbox, const char *spec);

/* Enter, once. What is wanted and cannot be had is left out, and the text says
 * why; what is required, and the user, must be had.
 *
 * Returns 0; EPI_EPERM (no right to become the user); EPI_ENOTSUP (a required
 * part is missing, the detail says which and why); EPI_ESTATE (entered before,
 * or a part is required and other threads run); EPI_ESYS or EPI_ENOMEM. After
 * an error the process may have given up some of it: let it end. */
EPI_API int epi_sandbox_enter(epi_sandbox *sandbox);

/* The parts that are active: 0 before entering. */
EPI_API int epi_sandbox_active(const epi_sandbox *sandbox);

/* One line that says what is active, what is not and why, and what will fail
 * later (files that the new user cannot read); valid until the sandbox is
 * freed. "" before entering. */
EPI_API const char *epi_sandbox_text(const epi_sandbox *sandbox);

#ifdef __cplusplus
}
#endif

#endif
