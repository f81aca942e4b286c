/* base.h: what every other header of libepi stands on.
 *
 * Conventions, the same in every header:
 *
 * - `_new` makes an object and writes it to its first argument, `_new_x` makes
 *   one of several kinds; `_free` ends it and takes NULL. An object belongs to
 *   whoever made it. No function takes ownership of an argument: what libepi
 *   keeps, it copies or references.
 * - `int` is 0 or a negative EPI_E* (error.h); `ptrdiff_t` is a count or a
 *   negative EPI_E*. Outputs are written on success only.
 * - Names and texts are UTF-8 and end in NUL. Durations end in `_ms` and are
 *   milliseconds.
 * - An object may be used by one thread at a time unless its header says
 *   otherwise; different objects may be used by different threads. */
#ifndef EPI_BASE_H
#define EPI_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EPI_API __attribute__((visibility("default")))
#else
#define EPI_API
#endif

/* The version that this header belongs to; epi_version() tells which library
 * was loaded. */
#define EPI_VERSION_MAJOR  0
#define EPI_VERSION_MINOR  1
#define EPI_VERSION_PATCH  0
#define EPI_VERSION_STRING "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Say which version of the library is loaded.
 *
 * Returns "MAJOR.MINOR.PATCH", never NULL, valid for ever.
 * Threads: any. */
EPI_API const char *epi_version(void);

/* Use other functions than malloc, realloc and free.
 *
 * All three, or all NULL to go back. Call it before anything else of libepi,
 * once: what one allocator gave cannot go back to another. The libraries that
 * libepi stands on keep their own (doc/dependencies.md).
 * Returns 0 or EPI_EINVAL (only some are NULL), which changes nothing.
 * Threads: call it while no other thread uses libepi. */
EPI_API int epi_set_allocator(void *(*alloc)(size_t size),
                              void *(*resize)(void *block, size_t size),
                              void (*release)(void *block));

/* Give back a block that a function of libepi said to free with this.
 *
 * NULL is fine. Threads: any. */
EPI_API void epi_free(void *block);

/* Bytes of a secret that epi_secret_read() reads, at most. */
#define EPI_SECRET_MAX 65536

/* Read a secret as every libepi function and program does that is told where
 * one is: from a file, or, for a source `env:NAME`, from the environment.
 *
 * A file must not be readable by everybody. A variable's name begins with
 * EPI_SECRET_: programs that libepi starts do not get those. Its value is the
 * secret as it is, as are the bytes of a file, line ends too. *secret is a
 * block of *len bytes with a zero behind them: overwrite it with epi_wipe() and
 * give it back with epi_free(). No other copy is left but the file or variable.
 *
 * Returns 0, EPI_EINVAL (no source, or a variable of another name), EPI_ENOENT
 * (no such file or variable), EPI_EPERM (everybody can read the file, or this
 * process cannot), EPI_ELIMIT (over EPI_SECRET_MAX bytes), EPI_ETIMEOUT (a pipe
 * that nobody writes to for 5 seconds), EPI_ESYS or EPI_ENOMEM; then *secret
 * and *len are as before. Threads: any, while none changes the environment. */
EPI_API int epi_secret_read(const char *source, char **secret, size_t *len);

/* Overwrite a secret with zeroes, in a way that no compiler leaves out.
 *
 * Threads: any. */
EPI_API void epi_wipe(void *secret, size_t len);

#ifdef __cplusplus
}
#endif

#endif
