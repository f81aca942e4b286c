/* standalone.c: runs a fuzz target over the files of a folder, each as it is
 * and cut at every length, on exact-size copies, and changed a few times by the
 * target's own way to change inputs, if it has one. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_MAX = 1 << 20, CHANGES = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
__attribute__((weak)) size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t size);

/* What libFuzzer has a better one of: changes a byte, or adds one. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t size) {
  static unsigned state = 1;

  state = state * 1103515245u + 12345u;
  if (len < size && state >> 28 == 0) {
    data[len++] = 0;
  }
  if (len) {
    data[(state >> 8) % len] ^= (uint8_t)(1u << (state >> 24) % 8);
  }
  return len;
}

static void run_exact(const uint8_t *data, size_t len) {
  uint8_t *copy = malloc(len ? len : 1);

  if (!copy) {
    abort();
  }
  memcpy(copy, data, len);
  LLVMFuzzerTestOneInput(copy, len);
  free(copy);
}

/* Each change is made to the one before. */
static void run_changed(uint8_t *data, size_t len, size_t size) {
  for (unsigned i = 0; LLVMFuzzerCustomMutator && i < CHANGES; i++) {
    len = LLVMFuzzerCustomMutator(data, len, size, i);
    run_exact(data, len);
  }
}

static int run_file(const char *path) {
  static uint8_t data[SEED_MAX];
  FILE *file = fopen(path, "rb");
  size_t len;

  if (!file) {
    perror(path);
    return 0;
  }
  len = fread(data, 1, sizeof data, file);
  fclose(file);
  for (size_t cut = 0; cut <= len; cut += len > 4096 ? len / 4096 : 1) {
    run_exact(data, cut);
  }
  run_exact(data, len);
  run_changed(data, len, sizeof data);
  return 1;
}

int main(int argc, char **argv) {
  struct dirent *entry;
  int files = 0;
  DIR *folder;

  if (argc != 2 || !(folder = opendir(argv[1]))) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  while ((entry = readdir(folder))) {
    char path[4096];

    if (entry->d_name[0] == '.') {
      continue;
    }
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    if (!run_file(path)) {
      return 1;
    }
    files++;
  }
  closedir(folder);
  printf("%d seeds\n", files);
  return files ? 0 : 1;
}
