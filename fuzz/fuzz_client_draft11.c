/* fuzz_client_draft11.c: a client of draft-11 against any server. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_client(EPI_SOCKS6, data, len);
}
