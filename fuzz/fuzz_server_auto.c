/* fuzz_server_auto.c: a server that takes all versions, told apart by the first
 * bytes, against any client. With bit 32 of the first byte the draft is 12. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  int draft = len && data[0] & 32 ? EPI_SOCKS6_12 : EPI_SOCKS6;

  return drive_server(EPI_ACCEPT_SOCKS5 | EPI_ACCEPT_SOCKS6 | EPI_ACCEPT_SOCKSX,
                      draft, data, len);
}
