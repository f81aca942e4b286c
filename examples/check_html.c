/* check_html.c: a model as one page that people can read. The page is made of
 * examples/page, when epi-check is built; here the model goes into it. */
#include "check.h"
#include "check_page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* JSON within a page: `<` is escaped, so that no text of the document can end
 * the element that it is in. In JSON it occurs in strings only. */
static void put_json(FILE *file, const char *json) {
  for (; *json; json++) {
    if (*json == '<') {
      fputs("\\u003c", file);
    } else {
      putc(*json, file);
    }
  }
}

/* A file's name as a JSON string: what is no ASCII letter, digit or harmless
 * mark is left out of it. */
static void put_name(FILE *file, const char *path) {
  const char *name = strrchr(path, '/');

  putc('"', file);
  for (name = name ? name + 1 : path; *name; name++) {
    putc((*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z') ||
                 (*name >= 'a' && *name <= 'z') || strchr("._- ", *name)
             ? *name
             : '?',
         file);
  }
  putc('"', file);
}

static void put_page(FILE *file, const char *name, const char *overview,
                     const char *document) {
  fwrite(page_before, 1, sizeof page_before, file);
  fputs("{\"name\":", file);
  put_name(file, name);
  fprintf(file, ",\"version\":\"%s\",\"overview\":", epi_version());
  put_json(file, overview);
  fputs(",\"document\":", file);
  put_json(file, document);
  fputs("}", file);
  fwrite(page_after, 1, sizeof page_after, file);
}

/* Returns FINE or BAD_INPUT. */
static int write_page(const char *path, const char *name, const char *overview,
                      const char *document) {
  int is_output = !strcmp(path, "-"), failed;
  FILE *file = is_output ? stdout : fopen(path, "w");

  if (!file) {
    return complain(path, strerror(errno));
  }
  put_page(file, name, overview, document);
  failed = ferror(file);
  if (is_output ? fflush(file) : fclose(file)) {
    failed = 1;
  }
  return failed ? complain(path, strerror(errno)) : FINE;
}

int write_html(const epi_model *model, const check_options *opts) {
  char *overview = NULL, *document = NULL;
  int result = BAD_INPUT;

  if (epi_model_overview(model, &overview) ||
      epi_model_write(model, &document)) {
    complain("--html", epi_error_detail());
  } else {
    result =
        write_page(opts->html, strcmp(opts->model, "-") ? opts->model : "model",
                   overview, document);
  }
  epi_free(overview);
  epi_free(document);
  return result;
}
