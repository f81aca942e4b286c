/* function_read.c: how callers read the functions of a model. */
#include "area/model.h"

static const epi__function *at(const epi_model *model, size_t function) {
  return function < model->function_names.count ? &model->functions[function]
                                                : NULL;
}

size_t epi_model_function_count(const epi_model *model) {
  return model->function_names.count;
}

const char *epi_model_function_name(const epi_model *model, size_t function) {
  return at(model, function) ? model->function_names.texts[function] : NULL;
}

const char *epi_model_function_filter(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->filter : NULL;
}

size_t epi_model_function_endpoint_count(const epi_model *model,
                                         size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->endpoint_count : 0;
}

const char *epi_model_function_endpoint(const epi_model *model, size_t function,
                                        size_t endpoint) {
  const epi__function *found = at(model, function);

  return found && endpoint < found->endpoint_count ? found->endpoints[endpoint]
                                                   : NULL;
}

const char *epi_model_function_image(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->image : NULL;
}

const char *epi_model_function_options(const epi_model *model,
                                       size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->options : NULL;
}

int epi_model_function_fails_open(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->fails_open : 0;
}

int epi_model_function_proves(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? found->proves : 0;
}

int epi_model_function_instances(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? (int)found->instances : 0;
}

int epi_model_function_capacity(const epi_model *model, size_t function) {
  const epi__function *found = at(model, function);

  return found ? (int)found->capacity : 0;
}
