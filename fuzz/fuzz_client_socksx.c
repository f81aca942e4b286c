/* fuzz_client_socksx.c: a client in socksx's dialect against any server. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_client(EPI_SOCKSX, data, len);
}
