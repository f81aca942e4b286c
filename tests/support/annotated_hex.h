/* annotated_hex.h: bytes as text that people can read. */
#ifndef TEST_ANNOTATED_HEX_H
#define TEST_ANNOTATED_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Read bytes from pairs of hexadecimal digits, with white space between and
 * comments from '#' to the end of a line. "00*300" is 300 bytes of 00.
 *
 * Returns the bytes; ends the program for other text, or over size bytes. */
size_t annotated_hex(uint8_t *out, size_t size, const char *text);

#endif
