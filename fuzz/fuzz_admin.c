/* fuzz_admin.c: a line of an admin. */
#include "base/admin_request.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was read has what it says to have. */
static void check(const epi__admin_request *request) {
  if (request->command < 0 || request->command >= EPI__ADMIN_COMMANDS ||
      request->has >> EPI__ARGS) {
    abort();
  }
  for (int i = 0; i < EPI__ARGS; i++) {
    if (request->texts[i] && !(request->has >> i & 1)) {
      abort();
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi__admin_request request;

  if (!epi__admin_request_read(&request, data, len)) {
    check(&request);
  } else if (request.root) {
    abort();
  }
  epi__admin_request_clear(&request);
  return 0;
}
