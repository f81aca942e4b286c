/* guess_limit.c: how often an address may be wrong about a password. */
#include "engine/guess_limit.h"

#include "base/memory.h"
#include "base/table_key.h"
#include "epi/error.h"

#include <string.h>

enum {
  SETS = 1024, /* a power of 2 */
  WAYS = 4,
  KEY_LEN = 9,
  DOUBLINGS = 7,
  FORGIVEN = 64, /* pauses after the last one, until the first counts again */
};

typedef struct guesser {
  uint8_t
      key[KEY_LEN]; /* kind, and 4 or 8 bytes of the address; kind 0: none */
  int failures;     /* of this window */
  int pauses;       /* so far */
  int64_t window_at;
  int64_t refused_until;
  int64_t refused; /* tries */
  int64_t used_at;
} guesser;

struct epi__guess_set {
  guesser ways[WAYS];
};

void epi__guesses_init(epi__guesses *guesses) {
  pthread_mutex_init(&guesses->lock, NULL);
}

void epi__guesses_clear(epi__guesses *guesses) {
  epi__free(guesses->sets);
  guesses->sets = NULL;
  pthread_mutex_destroy(&guesses->lock);
}

static void key_of(uint8_t key[KEY_LEN], const epi_addr *client) {
  memset(key, 0, KEY_LEN);
  key[0] = client->kind;
  memcpy(key + 1, client->ip, client->kind == EPI_ADDR_IPV4 ? 4 : 8);
}

static epi__guess_set *set_of(epi__guesses *guesses,
                              const uint8_t key[KEY_LEN]) {
  epi__hash_key secret = {0};

  /* Who fills a set of his choice could make it forget him. */
  memcpy(&secret, &guesses->sets[SETS], sizeof secret);
  return &guesses->sets[epi__siphash(&secret, key, KEY_LEN) % SETS];
}

static guesser *find(epi__guesses *guesses, const uint8_t key[KEY_LEN]) {
  epi__guess_set *set = guesses->sets ? set_of(guesses, key) : NULL;

  for (int i = 0; set && i < WAYS; i++) {
    if (!memcmp(set->ways[i].key, key, KEY_LEN)) {
      return &set->ways[i];
    }
  }
  return NULL;
}

/* The key of the hash stands behind the sets. */
static int make_sets(epi__guesses *guesses) {
  epi__hash_key secret;

  if (!guesses->sets) {
    guesses->sets = epi__alloc_array(SETS + 1, sizeof *guesses->sets);
    if (!guesses->sets) {
      return EPI_ENOMEM;
    }
    secret = epi__table_key(guesses->sets);
    memcpy(&guesses->sets[SETS], &secret, sizeof secret);
  }
  return 0;
}

/* Which of two is rather forgotten: who is refused is so last. */
static int is_older(const guesser *a, const guesser *b, int64_t now) {
  int a_refused = a->refused_until > now, b_refused = b->refused_until > now;

  return a_refused != b_refused ? b_refused : a->used_at < b->used_at;
}

static guesser *add(epi__guesses *guesses, const uint8_t key[KEY_LEN],
                    int64_t now) {
  epi__guess_set *set = set_of(guesses, key);
  guesser *place = &set->ways[0];

  for (int i = 0; i < WAYS; i++) {
    if (!set->ways[i].key[0]) {
      place = &set->ways[i];
      break;
    }
    if (is_older(&set->ways[i], place, now)) {
      place = &set->ways[i];
    }
  }
  memset(place, 0, sizeof *place);
  memcpy(place->key, key, KEY_LEN);
  place->window_at = now;
  return place;
}

int epi__guess_may(epi__guesses *guesses, const epi_addr *client, int64_t now,
                   int64_t *refused) {
  uint8_t key[KEY_LEN];
  guesser *who;
  int may;

  key_of(key, client);
  pthread_mutex_lock(&guesses->lock);
  who = find(guesses, key);
  may = !who || who->refused_until <= now;
  if (refused) {
    *refused = 0;
  }
  if (who && !may) {
    who->refused++;
  } else if (who && refused) {
    *refused = who->refused;
    who->refused = 0;
  }
  pthread_mutex_unlock(&guesses->lock);
  return may;
}

static int64_t count_wrong(guesser *who, int64_t now,
                           const epi__guess_rule *rule) {
  int64_t pause;

  who->used_at = now;
  if (who->refused_until > now) {
    return 0; /* it was on its way when that began */
  }
  if (now - who->window_at >= rule->window_ms) {
    who->window_at = now;
    who->failures = 0;
  }
  if (++who->failures < rule->failures) {
    return 0;
  }
  if (now - who->refused_until > FORGIVEN * rule->pause_ms) {
    who->pauses = 0;
  }
  pause = rule->pause_ms << who->pauses;
  who->pauses += who->pauses < DOUBLINGS;
  who->refused_until = now + pause;
  who->failures = 0;
  return pause;
}

int64_t epi__guess_wrong(epi__guesses *guesses, const epi_addr *client,
                         int64_t now, const epi__guess_rule *rule) {
  uint8_t key[KEY_LEN];
  int64_t pause = 0;
  guesser *who;

  if (!rule->failures) {
    return 0;
  }
  key_of(key, client);
  pthread_mutex_lock(&guesses->lock);
  if (!make_sets(guesses)) {
    who = find(guesses, key);
    who = who ? who : add(guesses, key, now);
    pause = count_wrong(who, now, rule);
  }
  pthread_mutex_unlock(&guesses->lock);
  return pause;
}
