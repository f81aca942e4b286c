/* redirect_apply.h: what each backend does with the rules of a redirect.
 *
 * Codes are those of epi_redirect_apply(); each names its cause. */
#ifndef EPI__REDIRECT_APPLY_H
#define EPI__REDIRECT_APPLY_H

#include "epi/redirect.h"

int epi__nft_apply(const epi_redirect *redirect);
int epi__nft_remove(void);
int epi__nft_present(void);

int epi__iptables_apply(const epi_redirect *redirect);
int epi__iptables_remove(void);
int epi__iptables_present(void);

/* Fail with what a backend said: the first line of it is the detail, and what
 * the line speaks of chooses the code. who is the program or library. */
int epi__redirect_refused(const char *who, const char *words);

#endif
