/* fuzz_client_socks5.c: a client of SOCKS 5 against any server. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_client(EPI_SOCKS5, data, len);
}
