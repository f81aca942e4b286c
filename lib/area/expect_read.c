/* expect_read.c: one expectation of a document. */
#include "area/expect.h"

#include <string.h>

enum {
  FROM,
  TO,
  PORT,
  APPLICATION,
  PURPOSE,
  DATASET,
  USER,
  CONSENT,
  AUTHENTICATED,
  AT,
  NEVER,
  ALLOWED,
  VERDICT,
  RULE,
  WITH,
  THROUGH,
  BECAUSE,
  KEYS,
};

static const epi__key keys[KEYS + 1] = {
    [FROM] = {"from", EPI__JSON_STRING, 1},
    [TO] = {"to", EPI__JSON_STRING, 1},
    [PORT] = {"port", EPI__JSON_NUMBER, 0},
    [APPLICATION] = {"application", EPI__JSON_STRING, 0},
    [PURPOSE] = {"purpose", EPI__JSON_STRING, 0},
    [DATASET] = {"dataset", EPI__JSON_STRING, 0},
    [USER] = {"user", EPI__JSON_STRING, 0},
    [CONSENT] = {"consent", EPI__JSON_STRING, 0},
    [AUTHENTICATED] = {"authenticated", EPI__JSON_STRING, 0},
    [AT] = {"at", EPI__JSON_STRING, 0},
    [NEVER] = {"never", EPI__JSON_BOOL, 0},
    [ALLOWED] = {"allowed", EPI__JSON_BOOL, 0},
    [VERDICT] = {"verdict", EPI__JSON_STRING, 0},
    [RULE] = {"rule", EPI__JSON_STRING, 0},
    [WITH] = {"with", EPI__JSON_LIST, 0},
    [THROUGH] = {"through", EPI__JSON_LIST, 0},
    [BECAUSE] = {"because", EPI__JSON_STRING, 0},
};

/* A node of the model, an address, or a host name: one that a node has, or
 * that has a dot. What looks like the name of a node is none. */
static void read_end(epi__model_reader *in, const epi__json *value, int key,
                     int port, epi_query *query) {
  size_t back = epi__path_key(in, keys[key].name);
  const epi_model *model = in->model;
  const char *text = epi__read_string(in, value);
  int by_addr = 0, result = 0;
  epi_addr addr;

  if (text && epi__names_find(&model->node_names, text) < 0) {
    by_addr = !epi_addr_parse(&addr, text, 0) &&
              (addr.kind != EPI_ADDR_NAME || strchr(text, '.') ||
               epi__node_lookup_find(&model->lookup, &addr) >= 0);
    if (!by_addr) {
      epi__problem_no(in, "node", text, &model->node_names);
      text = NULL;
    }
  }
  if (text && by_addr) {
    addr.port = (uint16_t)port;
    result = key == TO ? epi_query_set_to(query, &addr)
                       : epi_query_set_from(query, &addr);
  } else if (text) {
    result = key == TO ? epi_query_set_to_node(query, text, port ? port : -1)
                       : epi_query_set_from_node(query, text);
  }
  in->failed |= result == EPI_ENOMEM;
  epi__path_back(in, back);
}

static int64_t days_before(int year, int month, int day) {
  int64_t y = month > 2 ? year : year - 1; /* the year begins in March */
  int64_t m = month > 2 ? month - 3 : month + 9;

  return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 719469;
}

/* "2026-01-31T09:30", in UTC. */
static void read_time(epi__model_reader *in, const char *text,
                      epi_query *query) {
  static const char form[] = "dddd-dd-ddTdd:dd";
  static const int month_days[] = {31, 29, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
  int numbers[5] = {0};
  size_t n = 0, i = 0;

  for (; i < sizeof form && n < 5; i++) {
    int is_digit = text[i] >= '0' && text[i] <= '9';

    if (form[i] == 'd' ? !is_digit : text[i] != form[i]) {
      break;
    }
    if (is_digit) {
      numbers[n] = numbers[n] * 10 + text[i] - '0';
    } else {
      n++;
    }
  }
  if (i < sizeof form || numbers[0] < 1970 || numbers[1] < 1 ||
      numbers[1] > 12 || numbers[2] < 1 ||
      numbers[2] > month_days[numbers[1] - 1] || numbers[3] > 23 ||
      numbers[4] > 59) {
    epi__problem(in, "must be a time as \"2026-01-31T09:30\", in UTC");
    return;
  }
  epi_query_set_time(query,
                     days_before(numbers[0], numbers[1], numbers[2]) * 86400 +
                         numbers[3] * 3600 + numbers[4] * 60);
}

static unsigned read_authenticated(epi__model_reader *in, const char *text) {
  unsigned set = epi__auth_read(text);

  if (!set) {
    epi__problem(in, "must be \"none\", or some of \"password\", "
                     "\"certificate\", \"key\" and \"address\" with commas "
                     "between");
  }
  return set;
}

static void read_facts(epi__model_reader *in, const epi__json **values,
                       epi_query *query) {
  static const int facts[] = {
      [APPLICATION] = EPI_QUERY_APPLICATION, [PURPOSE] = EPI_QUERY_PURPOSE,
      [DATASET] = EPI_QUERY_DATASET,         [USER] = EPI_QUERY_USER,
      [CONSENT] = EPI_QUERY_CONSENT,
  };

  for (int i = APPLICATION; i <= AT; i++) {
    size_t back = epi__path_key(in, keys[i].name);
    const char *text = epi__read_string(in, values[i]);

    if (i == APPLICATION) {
      epi__read_reference(in, values[i], "application",
                          &in->model->application_names);
    }
    if (i == AT && text) {
      read_time(in, text, query);
    } else if (i == AUTHENTICATED && text) {
      query->authenticated = read_authenticated(in, text);
    } else if (text && epi_query_set(query, facts[i], text)) {
      in->failed = 1;
    }
    epi__path_back(in, back);
  }
}

static int read_verdict(epi__model_reader *in, const epi__json *value) {
  size_t back = epi__path_key(in, keys[VERDICT].name);
  const char *text = epi__read_string(in, value);
  int verdict = text ? EPI_DIRECT : 0;

  while (text && verdict <= EPI_DENIED &&
         strcmp(text, epi_verdict_name(verdict))) {
    verdict++;
  }
  if (verdict > EPI_DENIED) {
    epi__problem(in, "must be \"direct\", \"bridged\", \"unbridgeable\", "
                     "\"unplaceable\" or \"denied\"");
  }
  epi__path_back(in, back);
  return verdict;
}

static const char *read_rule(epi__model_reader *in, const epi__json *value) {
  size_t back = epi__path_key(in, keys[RULE].name);
  const char *text = epi__read_string(in, value);

  if (text && strcmp(text, "default")) {
    epi__read_reference(in, value, "rule", &in->model->rule_names);
  }
  epi__path_back(in, back);
  return text;
}

static void check_keys(epi__model_reader *in, const epi__json **values) {
  int expected = 0;

  for (int i = ALLOWED; i < BECAUSE; i++) {
    expected += values[i] != NULL;
  }
  if (!values[NEVER] && !expected) {
    epi__problem(in, "expects nothing: it needs \"never\", \"allowed\", "
                     "\"verdict\", \"rule\", \"with\" or \"through\"");
  } else if (values[NEVER] && expected) {
    epi__problem(in, "what is never allowed has no other expectation");
  } else if (values[NEVER] && !epi__json_bool(values[NEVER])) {
    epi__problem(in, "\"never\" can only be true");
  }
}

void epi__expect_read(epi__model_reader *in, const epi__json *value,
                      epi__expect *out) {
  const epi__json *values[KEYS];
  size_t back;
  int port = 0;

  epi__read_members(in, value, keys, values);
  check_keys(in, values);
  back = epi__path_key(in, keys[PORT].name);
  if (values[PORT]) {
    port = (int)epi__read_whole(in, values[PORT], 1, 65535);
  }
  epi__path_back(in, back);
  read_end(in, values[FROM], FROM, port, out->query);
  read_end(in, values[TO], TO, port, out->query);
  read_facts(in, values, out->query);
  out->never = values[NEVER] != NULL;
  out->allowed = values[ALLOWED] ? epi__json_bool(values[ALLOWED]) : -1;
  out->verdict = read_verdict(in, values[VERDICT]);
  out->rule = read_rule(in, values[RULE]);
  back = epi__path_key(in, keys[WITH].name);
  epi__read_attributes(in, values[WITH], out->with);
  epi__path_back(in, back);
  back = epi__path_key(in, keys[THROUGH].name);
  epi__read_references(in, values[THROUGH], "function",
                       &in->model->function_names, EPI__VALUES_MAX,
                       &out->through);
  epi__path_back(in, back);
  back = epi__path_key(in, keys[BECAUSE].name);
  out->because = epi__read_string(in, values[BECAUSE]);
  epi__path_back(in, back);
}
