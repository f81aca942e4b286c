/* nft_apply.c: the nftables backend, through libnftables in process. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "os/redirect_apply.h"
#include "redirect/redirect_rules.h"

#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHO "nftables"

/* libnftables ends the process if it gets no netlink socket: ask first. */
static int can_talk(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

  if (fd < 0) {
    return epi__redirect_refused(WHO, strerror(errno));
  }
  close(fd);
  return 0;
}

/* Run commands; what they print goes to *out if it is not NULL, to be freed
 * with epi__free(). */
static int run(const char *commands, char **out) {
  struct nft_ctx *nft;
  char *printed = NULL;
  int error = can_talk();

  if (error) {
    return error;
  }
  nft = nft_ctx_new(NFT_CTX_DEFAULT);
  if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft)) {
    error = epi__fail(EPI_ENOMEM, "no memory for libnftables");
    goto done;
  }
  if (nft_run_cmd_from_buffer(nft, commands)) {
    error = epi__redirect_refused(WHO, nft_ctx_get_error_buffer(nft));
    goto done;
  }
  if (out) {
    printed = epi__strdup(nft_ctx_get_output_buffer(nft));
    if (!printed) {
      error = EPI_ENOMEM;
      goto done;
    }
    *out = printed;
  }
done:
  if (nft) {
    nft_ctx_free(nft);
  }
  return error;
}

int epi__nft_apply(const epi_redirect *redirect) {
  char *rules;
  int error = epi_redirect_render(redirect, EPI_BACKEND_NFTABLES, 0, &rules);

  if (error) {
    return error;
  }
  error = run(rules, NULL);
  epi__free(rules);
  return error;
}

int epi__nft_present(void) {
  char *tables;
  int error = run("list tables inet", &tables);
  int found;

  if (error) {
    return error;
  }
  found = strstr(tables, "table inet " EPI__REDIRECT_TABLE "\n") != NULL;
  epi__free(tables);
  return found;
}

int epi__nft_remove(void) {
  int found = epi__nft_present();
  int error;

  if (found <= 0) {
    return found;
  }
  error = run("delete table inet " EPI__REDIRECT_TABLE, NULL);
  return error ? error : 1;
}
