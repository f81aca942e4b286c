/* file_replace.h: has a file changed, and putting another one in its place. */
#ifndef EPI__FILE_REPLACE_H
#define EPI__FILE_REPLACE_H

#include <stddef.h>
#include <stdint.h>

/* What tells a file from what it was before; all zero: there is none. */
typedef struct epi__file_stamp {
  uint64_t device, inode, size;
  int64_t changed_s, changed_ns, written_s, written_ns;
} epi__file_stamp;

/* Look at a file, or what a symbolic link leads to. 1 if it differs from what
 * *seen says, which is brought up to date. A file that cannot be looked at
 * counts as the one before: another may be about to take its place; so does a
 * pipe, which can be read once. */
int epi__file_changed(const char *path, epi__file_stamp *seen);

/* Keep others who call this for the same file waiting, until the descriptor is
 * closed; blocks. Returns it, or EPI_ENOENT (no such folder), EPI_EPERM or
 * EPI_ESYS. */
int epi__file_reserve(const char *path);

/* Write a file anew: whoever opens it sees the old or the new one, whole, also
 * after a crash. It keeps its mode and owner; a new one is its owner's alone.
 * What a symbolic link leads to is replaced. Returns 0, EPI_EPERM or EPI_ESYS;
 * the old one is then as it was. */
int epi__file_replace(const char *path, const void *data, size_t len);

#endif
