/* reasoner_reply.h: what a reply of the EPI policy reasoner says. */
#ifndef EPI__REASONER_REPLY_H
#define EPI__REASONER_REPLY_H

#include "area/model_reader.h"

typedef struct epi__reasoner_reply {
  int allows;
  const char *reference;    /* or NULL; of the JSON that was read */
  const epi__json *reasons; /* a list of strings, or NULL */
} epi__reasoner_reply;

/* What stands between the reasons of a reply in the reason of a rule. */
extern const char epi__reasons_between[];

/* Read a reply of either version; problems are counted in the reader, which
 * needs no model. */
void epi__reasoner_read(epi__model_reader *in, const epi__json *root,
                        epi__reasoner_reply *out);

/* A problem if the text cannot be the id of a rule. */
void epi__check_rule_id(epi__model_reader *in, const char *id);

#endif
