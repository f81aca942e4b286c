/* json_cjson.c: JSON documents, read by cJSON. */
#include "base/json.h"
#include "base/fail.h"
#include "base/json_scan.h"

#include <cjson/cJSON.h>
#include <string.h>

/* cJSON's own type is hidden behind epi__json: the pointers are the same. */
static const cJSON *of(const epi__json *value) {
  return (const cJSON *)(const void *)value;
}

static const epi__json *from(const cJSON *value) {
  return (const epi__json *)(const void *)value;
}

static int white(const char *at, const char *end) {
  while (at < end && strchr(" \t\r\n", *at)) {
    at++;
  }
  return at == end;
}

int epi__json_read(epi__json **out, const void *text, size_t len) {
  const char *end = NULL;
  cJSON *root;

  if (epi__json_scan(text, len)) {
    return EPI_EMODEL;
  }
  /* cJSON keeps its own allocator: its hooks are process-wide, and the program
   * that we are linked into may use cJSON too. */
  root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
  if (!root && !end) {
    return epi__fail(EPI_ENOMEM, "no memory for the document");
  }
  if (!root || !white(end, (const char *)text + len)) {
    size_t at = end ? (size_t)(end - (const char *)text) : 0;

    cJSON_Delete(root);
    return epi__fail(EPI_EMODEL, "line %u: this is not JSON",
                     epi__json_line(text, at < len ? at : len));
  }
  *out = (epi__json *)(void *)root;
  return 0;
}

void epi__json_free(epi__json *root) {
  cJSON_Delete((cJSON *)(void *)root);
}

int epi__json_type(const epi__json *value) {
  switch (of(value)->type & 0xff) {
  case cJSON_False:
  case cJSON_True:
    return EPI__JSON_BOOL;
  case cJSON_Number:
    return EPI__JSON_NUMBER;
  case cJSON_String:
    return EPI__JSON_STRING;
  case cJSON_Array:
    return EPI__JSON_LIST;
  case cJSON_Object:
    return EPI__JSON_OBJECT;
  default:
    return EPI__JSON_NULL;
  }
}

const char *epi__json_type_name(int type) {
  switch (type) {
  case EPI__JSON_BOOL:
    return "true or false";
  case EPI__JSON_NUMBER:
    return "a number";
  case EPI__JSON_STRING:
    return "a string";
  case EPI__JSON_LIST:
    return "a list";
  case EPI__JSON_OBJECT:
    return "an object";
  default:
    return "null";
  }
}

double epi__json_number(const epi__json *value) {
  return of(value)->valuedouble;
}

const char *epi__json_string(const epi__json *value) {
  return of(value)->valuestring;
}

int epi__json_bool(const epi__json *value) {
  return (of(value)->type & 0xff) == cJSON_True;
}

const epi__json *epi__json_first(const epi__json *value) {
  return from(of(value)->child);
}

const epi__json *epi__json_next(const epi__json *value) {
  return from(of(value)->next);
}

const char *epi__json_key(const epi__json *value) {
  return of(value)->string;
}

epi__json *epi__json_object(void) {
  return (epi__json *)(void *)cJSON_CreateObject();
}

epi__json *epi__json_member(epi__json *object, const char *key) {
  return (epi__json *)(void *)cJSON_GetObjectItemCaseSensitive(
      (cJSON *)(void *)object, key);
}

static cJSON *make(int type, const char *text, double number) {
  switch (type) {
  case EPI__JSON_NUMBER:
    return cJSON_CreateNumber(number);
  case EPI__JSON_STRING:
    return cJSON_CreateString(text);
  case EPI__JSON_LIST:
    return cJSON_CreateArray();
  default:
    return cJSON_CreateObject();
  }
}

int epi__json_take(epi__json *parent, const char *key, epi__json *value) {
  cJSON *to = (cJSON *)(void *)parent, *item = (cJSON *)(void *)value;

  return key ? cJSON_AddItemToObject(to, key, item)
             : cJSON_AddItemToArray(to, item);
}

epi__json *epi__json_put(epi__json *parent, const char *key, int type,
                         const char *text, double number) {
  epi__json *value = (epi__json *)(void *)make(type, text, number);

  if (!value || !epi__json_take(parent, key, value)) {
    epi__json_free(value);
    return NULL;
  }
  return value;
}
