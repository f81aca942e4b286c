/* proxy_keys.h: the keys that epi-proxy reads, and prints. */
#ifndef PROXY_KEYS_H
#define PROXY_KEYS_H

#include "proxy_options.h"

enum {
  KEY_MAX = 1024,
};

/* The chain key, from a file or env:NAME, into a block of KEY_MAX bytes.
 * Returns its length, or 0 after a message. */
size_t read_chain_key(const char *path, char *key);

/* Be the function that --function names, with the key of --function-key, or
 * that of the chain key, of len bytes. Returns 0 or EXIT_USAGE after a message.
 */
int set_function(epi_engine *engine, const proxy_options *set,
                 const char *chain_key, size_t len);

/* Audit to the file that --audit names. Returns 0 or EXIT_USAGE after a
 * message.
 */
int set_audit(epi_engine *engine, const proxy_options *set);

/* What `epi-proxy key` does: print a function's key, as 64 hexadecimal digits.
 * Returns the exit code. */
int print_function_key(const proxy_options *set);

#endif
