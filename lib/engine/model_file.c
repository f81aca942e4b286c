/* model_file.c: model documents in files. */
#include "base/memory.h"
#include "epi/engine.h"
#include "os/os.h"

int epi_model_read_file(epi_model **out, epi_report *problems,
                        const char *path) {
  char *text = NULL;
  size_t len = 0;
  int result = epi__file_read(path, EPI_MODEL_MAX, 0, &text, &len);

  if (result) {
    return result;
  }
  result = epi_model_read(out, problems, text, len);
  epi__free(text);
  return result;
}
