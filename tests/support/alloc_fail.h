/* alloc_fail.h: let every allocation of a piece of code fail in turn.
 *
 *     for (alloc_fail_start(); alloc_fail_more();) {
 *       ... run the code; it must end in EPI_ENOMEM or succeed,
 *       ... and must free what it took
 *     }
 *
 * Each round fails one allocation later than the round before; the loop ends
 * after the first round in which none failed. A leak fails the test at the end
 * of its round. */
#ifndef TEST_ALLOC_FAIL_H
#define TEST_ALLOC_FAIL_H

void alloc_fail_start(void);
int alloc_fail_more(void);

/* 1 if an allocation failed in this round so far. */
int alloc_fail_happened(void);

#endif
