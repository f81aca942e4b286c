/* delay_queue.h: packets that the kernel hands over and that wait for a
 * verdict: NFQUEUE, spoken to by netlink without a library. */
#ifndef BENCH_DELAY_QUEUE_H
#define BENCH_DELAY_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* Open a netlink socket; -1 with errno. */
int delay_open(void);

/* Take what comes to a queue, as headers only: 0, or -1 with errno. The kernel
 * holds the packets, whole segments as the sender made them. */
int delay_bind(int fd, uint16_t queue);

/* Read what has come without waiting, and call taken() for each packet.
 * Returns 0, or -1 with errno. */
int delay_read(int fd, void (*taken)(uint16_t queue, uint32_t id, void *user),
               void *user);

/* Let a queue's packets go on, up to this one: 0, or -1 with errno. */
int delay_accept(int fd, uint16_t queue, uint32_t id);

#endif
