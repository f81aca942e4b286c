/* fuzz_server_socks5.c: a server of SOCKS 5 against any client. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_server(EPI_ACCEPT_SOCKS5, EPI_SOCKS6, data, len);
}
