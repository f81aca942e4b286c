/* random_message.h: messages of SOCKS 6 at random, from the sequence of
 * random_document.h. Whoever asks for one frees it. */
#ifndef TEST_RANDOM_MESSAGE_H
#define TEST_RANDOM_MESSAGE_H

#include "epi/auth.h"

/* A request that the version can say. */
epi_request *random_request(int version);

/* An authentication reply, which may contradict itself, and an operation
 * reply. */
epi_auth_reply *random_auth_reply(void);
epi_reply *random_reply(void);

#endif
