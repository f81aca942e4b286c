/* nft_absent.c: the nftables backend of a build without libnftables. */
#include "base/fail.h"
#include "os/redirect_apply.h"

static int absent(void) {
  return epi__fail(EPI_ENOTSUP,
                   "this build has no nftables: install libnftables-dev and "
                   "rebuild, or use iptables");
}

int epi__nft_apply(const epi_redirect *redirect) {
  (void)redirect;
  return absent();
}

int epi__nft_remove(void) {
  return absent();
}

int epi__nft_present(void) {
  return absent();
}
