/* version.c: which library this is. */
#include "epi/base.h"

const char *epi_version(void) {
  return EPI_VERSION_STRING;
}
