/* proxy_keys.c: the chain key, the keys of functions, the audit key. */
#include "proxy_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
  DIGITS = 2 * EPI_FUNCTION_KEY,
};

/* A key, from where an option says, into a block of size bytes. Returns its
 * length, or 0 after a message if there is none or it is longer. */
static size_t read_key(const char *option, const char *from, const char *what,
                       char *key, size_t size) {
  char *secret = NULL;
  size_t len = 0;

  if (epi_secret_read(from, &secret, &len)) {
    complain(option, epi_error_detail());
    return 0;
  }
  if (len && len <= size) {
    memcpy(key, secret, len);
  } else {
    complain(from, what);
    len = 0;
  }
  epi_wipe(secret, len);
  epi_free(secret);
  return len;
}

size_t read_chain_key(const char *path, char *key) {
  return read_key("--chain-key", path, "a chain key has 16 to 1024 bytes", key,
                  KEY_MAX);
}

static int digit(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *at = c ? strchr(digits, c) : NULL;

  return at ? (int)(at - digits) : -1;
}

static int read_function_key(const char *path, unsigned char *key) {
  static const char bad_digits[] = "a function's key has 64 hexadecimal "
                                   "digits, as epi-proxy key prints them";
  char text[DIGITS + 2];
  size_t len =
      read_key("--function-key", path, bad_digits, text, sizeof text - 1);
  int bad = len != DIGITS && !(len == DIGITS + 1 && text[DIGITS] == '\n');

  for (size_t i = 0; i < EPI_FUNCTION_KEY && !bad; i++) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

    bad = high < 0 || low < 0;
    key[i] = (unsigned char)(bad ? 0 : high << 4 | low);
  }
  epi_wipe(text, sizeof text);
  return !len ? EXIT_USAGE : bad ? complain(path, bad_digits) : 0;
}

int set_function(epi_engine *engine, const proxy_options *set,
                 const char *chain_key, size_t len) {
  unsigned char key[EPI_FUNCTION_KEY];
  int result;

  if (!set->function) {
    return complain("--function-key", "it needs --function");
  }
  if (!len == !set->function_key) {
    return complain("--function",
                    "it needs --function-key or --chain-key, one of them");
  }
  if (set->model) {
    return complain("--function", "a function has no --model: proxies judge");
  }
  if (set->function_key) {
    result = read_function_key(set->function_key, key);
  } else {
    result = epi_function_key(key, chain_key, len, set->function)
                 ? complain(set->chain_key, epi_error_detail())
                 : 0;
  }
  if (!result && epi_engine_set_function(engine, set->function, key)) {
    result = complain("--function", epi_error_detail());
  }
  epi_wipe(key, sizeof key);
  return result;
}

int set_audit(epi_engine *engine, const proxy_options *set) {
  const char *on_error = set->audit_on_error;
  char key[KEY_MAX];
  size_t len;
  int result = 0;

  if (!set->audit) {
    return set->audit_key || on_error
               ? complain("--audit-key and --audit-on-error", "need --audit")
               : 0;
  }
  if (!set->audit_key) {
    return complain("--audit", "needs --audit-key");
  }
  if (on_error && strcmp(on_error, "refuse") && strcmp(on_error, "ignore")) {
    return complain("--audit-on-error", "must be refuse or ignore");
  }
  len = read_key("--audit-key", set->audit_key,
                 "an audit key has 16 to 1024 bytes", key, sizeof key);
  if (!len) {
    return EXIT_USAGE;
  }
  if (epi_engine_set_audit(engine, set->audit, key, len,
                           on_error && !strcmp(on_error, "ignore")
                               ? EPI_AUDIT_IGNORE
                               : EPI_AUDIT_REFUSE)) {
    result = complain("--audit", epi_error_detail());
  }
  epi_wipe(key, sizeof key);
  return result;
}

int print_function_key(const proxy_options *set) {
  unsigned char key[EPI_FUNCTION_KEY];
  char chain_key[KEY_MAX];
  size_t len;
  int result = 0;

  if (!set->chain_key || !set->function) {
    return complain("key", "it needs --chain-key and --function");
  }
  len = read_chain_key(set->chain_key, chain_key);
  if (!len) {
    return EXIT_USAGE;
  }
  if (epi_function_key(key, chain_key, len, set->function)) {
    result = complain(set->chain_key, epi_error_detail());
  }
  epi_wipe(chain_key, sizeof chain_key);
  for (size_t i = 0; i < sizeof key && !result; i++) {
    printf("%02x", key[i]);
  }
  epi_wipe(key, sizeof key);
  if (!result && (putchar('\n') == EOF || fflush(stdout) || ferror(stdout))) {
    result = complain("standard output", strerror(errno));
  }
  return result;
}
