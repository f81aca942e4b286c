/* record.h: a line for each flow, in a file that people audit. */
#ifndef EPI__RECORD_H
#define EPI__RECORD_H

#include "base/audit_chain.h"
#include "epi/filter.h"

#include <stddef.h>
#include <stdint.h>

enum {
  EPI__RECORD_WAITING = 1024 * 1024, /* bytes of lines that wait */
};

/* ---- record_file.c: lines to a file, by a thread of its own ---- */

typedef struct epi__record_file epi__record_file;

/* Open a file to append to, made with mode 0600; its thread starts with the
 * first line. Returns 0, EPI_ENOENT, EPI_EPERM, EPI_ESYS (also for what is no
 * file) or EPI_ENOMEM. */
int epi__record_file_new(epi__record_file **out, const char *path);

/* The same with the lines of an audit log, each of which goes on with a copy of
 * the chain, in a file that has size bytes, or none. One that is renamed or
 * removed is followed by a new one at path. Lines wait until it begins. Returns
 * also EPI_EBUSY: somebody else writes to it. */
int epi__record_file_new_chained(epi__record_file **out, const char *path,
                                 const epi__audit_chain *chain, int64_t size);

/* Begin to write an audit log. Returns 0 or EPI_ESYS (no thread). */
int epi__record_file_begin(epi__record_file *file);

/* Write what waits, as far as the disk takes it, and no more after that.
 * Returns how many lines were lost at the end; epi__record_file_state() says
 * why. */
uint64_t epi__record_file_end(epi__record_file *file);

/* End, and free the file. NULL is fine. */
void epi__record_file_free(epi__record_file *file);

/* Hand over a line with its end; never waits for the disk. Returns 0, or
 * EPI_ELIMIT: too much waits, and it was dropped and counted. A line that says
 * how many were dropped follows once there is room. Threads: any. */
int epi__record_file_put(epi__record_file *file, const char *line, size_t len);

/* Wait until less than half of what may wait for the disk does, or it fails; a
 * second at most. Threads: any. */
void epi__record_file_catch_up(epi__record_file *file);

/* Number and MAC of the last line of an audit log, EPI__AUDIT_DIGITS and NUL.
 * Threads: any. */
void epi__record_file_last(epi__record_file *file, int64_t *number, char *mac);

/* Rename the file of an audit log to a path where nothing is, and go on with it
 * there. Returns 0, or EPI_EBUSY (there is something), EPI_EPERM, EPI_ESYS or
 * EPI_ENOMEM, and it is where it was. Threads: any. */
int epi__record_file_move(epi__record_file *file, const char *path);

/* Where a chained one is. */
const char *epi__record_file_path(const epi__record_file *file);

/* 0 if the file takes lines; EPI_ESYS: the last attempt to write failed, as the
 * detail says; EPI_ELIMIT: too much waits. Threads: any. */
int epi__record_file_state(epi__record_file *file);

/* ---- record_open.c ---- */

/* Open a file to append to. Returns as epi__record_file_new(). */
int epi__record_open(int *out, const char *path);

/* Be the only one who writes to a file, which has size bytes. Returns 0, or
 * EPI_EBUSY: somebody else does, or did meanwhile. */
int epi__record_claim(int fd, const char *path, int64_t size);

/* Another program renamed the file, to keep it, or removed it: open a new one
 * in its place. Returns 0 or an errno, and the file is as it was. */
int epi__record_follow(int *fd, const char *path);

/* Rename a file that is open from one path to another, unless somebody else did
 * so before. Returns as epi__record_file_move(). */
int epi__record_rename(int fd, const char *from, const char *to);

/* ---- record.c ---- */

/* Make the filter: a JSON line when a flow opens and when it ends. refuse 1:
 * flows are refused while nothing can be written. Returns as
 * epi__record_file_new(). */
int epi__record_new(epi_filter **out, const char *path, int refuse);

#endif
