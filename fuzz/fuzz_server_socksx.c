/* fuzz_server_socksx.c: a server in socksx's dialect against any client. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_server(EPI_ACCEPT_SOCKSX, EPI_SOCKS6, data, len);
}
