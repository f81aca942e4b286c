/* bind_backlog.c: listening sockets that the BINDs of a session share
 * (draft-11, "Listen Backlog options").
 *
 * The flow that asked for the backlog holds it; others of its session, in any
 * worker, take connections with descriptors of their own. */
#include "engine/bind.h"

#include "base/memory.h"
#include "os/os.h"

struct epi__backlog {
  epi__backlog *next;
  const epi__sessions *sessions; /* whose number is */
  int64_t member;
  epi_addr addr; /* as its client was told */
  int fd;
};

int epi__backlog_new(epi__backlog **out, const epi_flow *flow,
                     const epi_addr *addr, int fd) {
  epi_engine *engine = flow->worker->engine;
  epi__backlog *backlog = epi__alloc(sizeof *backlog);

  if (!backlog) {
    return EPI_ENOMEM;
  }
  backlog->sessions = flow->listener->sessions;
  backlog->member = flow->member;
  backlog->addr = *addr;
  backlog->fd = fd;
  pthread_mutex_lock(&engine->lock);
  backlog->next = engine->backlogs;
  engine->backlogs = backlog;
  pthread_mutex_unlock(&engine->lock);
  *out = backlog;
  return 0;
}

int epi__backlog_fd(const epi__backlog *backlog) {
  return backlog->fd;
}

void epi__backlog_end(epi_engine *engine, epi__backlog *backlog) {
  epi__backlog **place;

  pthread_mutex_lock(&engine->lock);
  for (place = &engine->backlogs; *place != backlog; place = &(*place)->next) {
  }
  *place = backlog->next;
  pthread_mutex_unlock(&engine->lock);
  epi__sock_unlisten(backlog->fd); /* those who wait with it shall notice */
  epi__sock_close(backlog->fd, 0);
  epi__free(backlog);
}

int epi__backlog_take(const epi_flow *flow, const epi_addr *addr, int *copy,
                      int *watch) {
  epi_engine *engine = flow->worker->engine;
  int result = EPI_ENOENT;

  pthread_mutex_lock(&engine->lock);
  for (epi__backlog *backlog = engine->backlogs; backlog;
       backlog = backlog->next) {
    if (backlog->sessions == flow->listener->sessions &&
        backlog->member == flow->member &&
        epi_addr_equal(&backlog->addr, addr)) {
      result = epi__sock_share(backlog->fd, copy, watch);
      break;
    }
  }
  pthread_mutex_unlock(&engine->lock);
  return result;
}
