/* method_choice.c: which method serves a need, and where its proxy stands. */
#include "area/method.h"

#include "base/fail.h"

const char *epi_advantage_text(int advantage) {
  switch (advantage) {
  case EPI_ADVANTAGE_TIME:
    return "no more round trips than a reverse proxy";
  case EPI_ADVANTAGE_RATE:
    return "the highest processing rate";
  case EPI_ADVANTAGE_PORTS:
    return "one open port for all pairs of nodes";
  case EPI_ADVANTAGE_RECONFIGURE:
    return "paths that change without a restart";
  case EPI_ADVANTAGE_DYNAMIC:
    return "chains that share their functions";
  case EPI_ADVANTAGE_SECURITY:
    return "a protocol that says who connects";
  default:
    return NULL;
  }
}

typedef struct candidate {
  int method;
  double ms;
  int rate;           /* as epi__method has it */
  int by_ms, by_rate; /* how many are before it */
  int advantages;     /* how many */
} candidate;

static int count_bits(int bits) {
  int count = 0;

  for (; bits; bits &= bits - 1) {
    count++;
  }
  return count;
}

/* Fill in the methods to choose from. Returns how many, or EPI_EINVAL. */
static int find_candidates(candidate out[EPI__METHODS], int methods,
                           double rtt_cp_ms, double rtt_ps_ms) {
  int count = 0;

  if (methods <= 0 || methods >= 1 << EPI__METHODS ||
      methods & (1 << EPI_METHOD_DIRECT | 1)) {
    return epi__fail(EPI_EINVAL, "no methods through a proxy to choose from");
  }
  for (int method = EPI_METHOD_REVERSE; method < EPI__METHODS; method++) {
    const epi__method *of = epi__method_of(method);
    double ms = epi_estimate_ms(method, rtt_cp_ms, rtt_ps_ms, 0, 0);

    if (ms < 0) {
      return epi__fail(EPI_EINVAL, "a bad round-trip time");
    }
    if (methods & 1 << method) {
      out[count++] =
          (candidate){method, ms, of->rate, 0, 0, count_bits(of->advantages)};
    }
  }
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < count; k++) {
      out[i].by_ms += out[k].ms < out[i].ms;
      out[i].by_rate += out[k].rate < out[i].rate;
    }
  }
  return count;
}

/* What decides, the least first. */
static void find_order(const candidate *at, int need, int order[3]) {
  order[0] = need == EPI_FOR_LATENCY ? at->by_ms
             : need == EPI_FOR_RATE  ? at->by_rate
                                     : at->by_ms + at->by_rate;
  order[1] = need == EPI_FOR_RATE ? at->by_ms : at->by_rate;
  order[2] = -at->advantages;
}

/* Does a serve the need better than b? */
static int is_better(const candidate *a, const candidate *b, int need) {
  int first[3], second[3];

  find_order(a, need, first);
  find_order(b, need, second);
  for (int i = 0; i < 3; i++) {
    if (first[i] != second[i]) {
      return first[i] < second[i];
    }
  }
  return 0;
}

int epi_estimate_choose(int need, int methods, double rtt_cp_ms,
                        double rtt_ps_ms) {
  candidate all[EPI__METHODS];
  const candidate *best = all;
  int count;

  if (need < EPI_FOR_LATENCY || need > EPI_FOR_BOTH) {
    return epi__fail(EPI_EINVAL, "no need %d", need);
  }
  count = find_candidates(all, methods, rtt_cp_ms, rtt_ps_ms);
  for (int i = 1; i < count; i++) {
    if (is_better(&all[i], best, need)) {
      best = &all[i];
    }
  }
  return count < 0 ? count : best->method;
}

int epi_estimate_place(int need, int methods, double rtt_cp_ms,
                       double rtt_ps_ms, double other_cp_ms,
                       double other_ps_ms) {
  int here = epi_estimate_choose(need, methods, rtt_cp_ms, rtt_ps_ms);
  int there =
      here < 0 ? here
               : epi_estimate_choose(need, methods, other_cp_ms, other_ps_ms);

  return there < 0 ? there
                   : epi_estimate_ms(here, rtt_cp_ms, rtt_ps_ms, 0, 0) <=
                         epi_estimate_ms(there, other_cp_ms, other_ps_ms, 0, 0);
}
