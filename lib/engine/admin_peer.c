/* admin_peer.c: one admin who is connected: lines come, replies go.
 *
 * Nothing is read while a reply waits to be taken, so that a peer holds one
 * request and one reply at most. One that is silent for long, or that does not
 * take its reply, is closed; when there are too many, the one that has been
 * silent for longest is. */
#include "engine/admin_serve.h"

#include "base/fail.h"
#include "base/memory.h"
#include "os/os.h"

#include <stddef.h>
#include <string.h>

enum {
  PEERS_MAX = 128,
  SILENT_MS = 60000,
  BLOCK = 64 * 1024, /* what is read at once; a larger request is a large one */
};

struct epi__admin_peer {
  epi__admin_peer *next, *previous;
  epi__admin_peers *peers;
  int fd;
  epi__unix_peer who;
  epi__io io;
  epi__timer timer;
  epi__queue in, out;
  size_t looked; /* bytes of `in` that have no line end */
  int ended;     /* it sends no more */
  int last;      /* once `out` is taken, it is over */
};

static void unlink_peer(epi__admin_peer *peer) {
  epi__admin_peers *peers = peer->peers;

  *(peer->previous ? &peer->previous->next : &peers->first) = peer->next;
  *(peer->next ? &peer->next->previous : &peers->last) = peer->previous;
  peers->count--;
}

static void link_peer(epi__admin_peer *peer) {
  epi__admin_peers *peers = peer->peers;

  peer->previous = NULL;
  peer->next = peers->first;
  *(peer->next ? &peer->next->previous : &peers->last) = peer;
  peers->first = peer;
  peers->count++;
}

static void close_peer(epi__admin_peer *peer) {
  epi__loop *loop = peer->peers->loop;

  unlink_peer(peer);
  if (peer->peers->large == peer) {
    peer->peers->large = NULL;
  }
  epi__io_stop(loop, &peer->io);
  epi__timer_stop(loop, &peer->timer);
  epi__sock_close(peer->fd, 0);
  epi__queue_clear(&peer->in, 0);
  epi__queue_clear(&peer->out, 0);
  epi__free(peer);
}

static void on_silence(epi__timer *timer) {
  close_peer(EPI__OWNER(timer, epi__admin_peer, timer));
}

/* It began to ask, or has taken its reply: from here on it has its time. */
static void note(epi__admin_peer *peer) {
  unlink_peer(peer);
  link_peer(peer);
  epi__timer_start(peer->peers->loop, &peer->timer, SILENT_MS, on_silence);
}

/* Put a reply into the queue, at its end. */
static void reply_with(epi__admin_peer *peer, epi__text *text) {
  static const char sorry[] =
      "{\"epi\":1,\"ok\":false,\"code\":-2,\"message\":\"out of memory\"}\n";
  int failed =
      text->failed || epi__queue_append(&peer->out, text->block, text->len);

  if (failed && epi__queue_append(&peer->out, sorry, sizeof sorry - 1)) {
    peer->last = 1;
  }
  epi__text_clear(text);
}

static void refuse(epi__admin_peer *peer, int code) {
  epi__text text = {0};

  epi__admin_complain(&text, NULL, code, NULL);
  reply_with(peer, &text);
  peer->last = 1;
}

/* Answer the first line that is there. Returns 0 if there is none. */
static int answer_one(epi__admin_peer *peer) {
  const uint8_t *data = NULL;
  size_t len = epi__queue_peek(&peer->in, &data);
  const uint8_t *end =
      len > peer->looked ? memchr(data + peer->looked, '\n', len - peer->looked)
                         : NULL;
  epi__text text = {0};

  if (!end) {
    peer->looked = len;
    return 0;
  }
  epi__admin_answer(peer->peers->engine, &peer->who, data, (size_t)(end - data),
                    &text);
  epi__queue_ack(&peer->in, (size_t)(end - data) + 1);
  peer->looked = 0;
  if (peer->peers->large == peer) {
    peer->peers->large = NULL;
  }
  reply_with(peer, &text);
  return 1;
}

/* A request becomes larger than most are: of those there is one at a time. */
static void check_size(epi__admin_peer *peer) {
  epi__admin_peers *peers = peer->peers;
  size_t len = peer->in.end - peer->in.start;

  if (len > EPI__ADMIN_LINE_MAX) {
    epi__fail(EPI_ELIMIT, "a request has %d bytes at most",
              EPI__ADMIN_LINE_MAX);
    refuse(peer, EPI_ELIMIT);
  } else if (len > BLOCK && peers->large && peers->large != peer) {
    epi__fail(EPI_EBUSY, "another large request is under way: try again");
    refuse(peer, EPI_EBUSY);
  } else if (len > BLOCK) {
    peers->large = peer;
  } else if (peers->large == peer) {
    peers->large = NULL;
  }
}

/* Returns 0 if it is over. */
static int flush(epi__admin_peer *peer) {
  const uint8_t *data = NULL;
  size_t len;

  while ((len = epi__queue_peek(&peer->out, &data)) > 0) {
    ptrdiff_t sent = epi__sock_write(peer->fd, data, len);

    if (sent < 0) {
      return 0;
    }
    if (!sent) {
      return 1;
    }
    epi__queue_ack(&peer->out, (size_t)sent);
    if (!peer->out.block) {
      note(peer);
    }
  }
  return !peer->last;
}

/* Returns 0 if it is over. */
static int take(epi__admin_peer *peer) {
  uint8_t block[BLOCK];
  ptrdiff_t got = epi__sock_read(peer->fd, block, sizeof block);

  if (got == EPI_ENOENT) {
    return 1;
  }
  if (got <= 0) {
    peer->ended = 1; /* what it asked before may be here still */
    return got == 0;
  }
  if (!peer->in.block) {
    note(peer);
  }
  return !epi__queue_append(&peer->in, block, (size_t)got);
}

static void on_peer(epi__io *io, int events) {
  epi__admin_peer *peer = EPI__OWNER(io, epi__admin_peer, io);
  int goes_on = 1, more;

  if (events & EPI__READ && !peer->out.block && !peer->ended) {
    goes_on = take(peer);
  }
  /* One at a time: others want to ask, too. */
  if (goes_on && !peer->out.block && !answer_one(peer)) {
    check_size(peer);
  }
  if (goes_on) {
    goes_on = flush(peer);
  }
  more = peer->out.block || peer->in.end - peer->in.start > peer->looked;
  if (!goes_on || (peer->ended && !more)) {
    close_peer(peer);
    return;
  }
  epi__io_set(peer->peers->loop, io, peer->fd, more ? EPI__WRITE : EPI__READ,
              on_peer);
}

void epi__admin_welcome(epi__admin_peers *peers, int fd,
                        const epi__unix_peer *who) {
  epi__admin_peer *peer = epi__alloc(sizeof *peer);

  if (!peer) {
    epi__sock_close(fd, 0);
    return;
  }
  if (peers->count == PEERS_MAX) {
    close_peer(peers->last);
  }
  peer->peers = peers;
  peer->fd = fd;
  peer->who = *who;
  link_peer(peer);
  note(peer);
  epi__io_set(peers->loop, &peer->io, fd, EPI__READ, on_peer);
}

void epi__admin_dismiss(epi__admin_peers *peers) {
  while (peers->first) {
    close_peer(peers->first);
  }
}
