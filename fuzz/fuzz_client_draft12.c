/* fuzz_client_draft12.c: a client of draft-12 against any server. */
#include "drive_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  return drive_client(EPI_SOCKS6_12, data, len);
}
