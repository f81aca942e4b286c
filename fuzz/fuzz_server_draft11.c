/* fuzz_server_draft11.c: a server of draft-11 against any client. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_server(EPI_ACCEPT_SOCKS6, EPI_SOCKS6, data, len);
}
