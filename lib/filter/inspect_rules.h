/* inspect_rules.h: what `inspect` was told to look for. */
#ifndef EPI__INSPECT_RULES_H
#define EPI__INSPECT_RULES_H

#include "epi/filter.h"
#include "filter/host_list.h"
#include "filter/matcher.h"

enum { /* what to do about a pattern */
       EPI__INSPECT_REFUSE,
       EPI__INSPECT_MASK,
       EPI__INSPECT_REPORT,
};

typedef struct epi__inspect_rules {
  epi__matcher *matcher; /* NULL without patterns */
  int action;
  unsigned ways;            /* bit 1 << direction */
  epi__host_list sni, host; /* empty: any */
} epi__inspect_rules;

/* Read the arguments of `inspect`: see builtin.h. */
int epi__inspect_rules_read(epi__inspect_rules *out, const char *args,
                            int (*read)(const char *path, size_t max,
                                        char **text, size_t *len));

void epi__inspect_rules_clear(epi__inspect_rules *rules);

/* 1 if a flow must name an allowed host before anything of it passes. */
int epi__inspect_is_listed(const epi__inspect_rules *rules);

#endif
