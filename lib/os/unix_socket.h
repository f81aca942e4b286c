/* unix_socket.h: sockets that have a path, for programs of the same user. All
 * descriptors are non-blocking, and close on exec. */
#ifndef EPI__UNIX_SOCKET_H
#define EPI__UNIX_SOCKET_H

#include "epi/error.h"

/* Who is at the other end, as the kernel knows it. */
typedef struct epi__unix_peer {
  int64_t uid, pid;
} epi__unix_peer;

/* A socket that listens, and the file that it is. */
typedef struct epi__unix_door {
  int fd; /* -1: none */
  uint64_t device, inode;
} epi__unix_door;

/* Listen at a path that this user alone can connect to, mode 0600 from its
 * first moment on. A socket that is there already, and at which nobody listens,
 * is replaced. Returns 0; EPI_EBUSY: somebody listens there, or it is no
 * socket; EPI_EINVAL (the path is too long), EPI_ENOENT (no such folder),
 * EPI_EPERM or EPI_ESYS. */
int epi__unix_listen(epi__unix_door *out, const char *path);

/* Listen no more, and remove the file, unless another one took its place. */
void epi__unix_close(epi__unix_door *door, const char *path);

/* Take a connection. Returns 0; EPI_ENOENT if none waits; EPI_ELIMIT if there
 * are no descriptors; or EPI_ESYS for one that is gone already. */
int epi__unix_accept(int listener, int *out, epi__unix_peer *peer);

/* May this peer speak to this process: is it root, or the same user? */
int epi__unix_is_own(const epi__unix_peer *peer);

/* Connect, and wait for that and for each read and write timeout_ms at most:
 * the descriptor blocks. Returns 0, EPI_EINVAL, EPI_ENOENT (no such socket),
 * EPI_EPERM, EPI_EBUSY (too many wait), or EPI_ESYS (nobody listens there). */
int epi__unix_connect(const char *path, int64_t timeout_ms, int *out);

#endif
