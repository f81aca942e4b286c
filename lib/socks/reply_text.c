/* reply_text.c: reply codes in words. */
#include "epi/socks.h"

const char *epi_reply_text(int code) {
  static const char *const texts[] = {
      [EPI_REPLY_SUCCESS] = "succeeded",
      [EPI_REPLY_FAILURE] = "general SOCKS server failure",
      [EPI_REPLY_NOT_ALLOWED] = "connection not allowed by ruleset",
      [EPI_REPLY_NETWORK_UNREACHABLE] = "network unreachable",
      [EPI_REPLY_HOST_UNREACHABLE] = "host unreachable",
      [EPI_REPLY_REFUSED] = "connection refused",
      [EPI_REPLY_TTL_EXPIRED] = "TTL expired",
      [EPI_REPLY_NO_COMMAND] = "command not supported",
      [EPI_REPLY_NO_ADDRESS_TYPE] = "address type not supported",
      [EPI_REPLY_TIMED_OUT] = "connection attempt timed out",
  };

  return code >= 0 && code < (int)(sizeof texts / sizeof *texts)
             ? texts[code]
             : "unassigned reply code";
}
