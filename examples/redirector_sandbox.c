/* redirector_sandbox.c: rules are removed at the end, which takes more rights
 * than carrying connections. */
#include "redirector_sandbox.h"

static int fill(epi_sandbox *sandbox, const redirector_options *options,
                const epi_engine *engine, int programs) {
  const char *words = options->no_sandbox ? "none" : options->sandbox;
  int what = EPI_SANDBOX_KEEP_REDIRECT;
  int error = words ? epi_sandbox_parse(sandbox, words) : 0;

  if (!error && options->user) {
    error = epi_sandbox_set_user(sandbox, options->user);
  }
  if (!error && programs) {
    what |= EPI_SANDBOX_KEEP_PROGRAMS;
  }
  error = error ? error : epi_sandbox_keep(sandbox, what);
  return error ? error : epi_engine_sandbox(engine, sandbox);
}

int sandbox_enter(const redirector_options *options, const epi_engine *engine,
                  int programs) {
  epi_sandbox *sandbox = NULL;
  int error = epi_sandbox_new(&sandbox);

  if (options->no_sandbox && options->sandbox) {
    error = EPI_EINVAL;
    say("--no-sandbox and --sandbox: one of them");
  } else if (error || (error = fill(sandbox, options, engine, programs)) ||
             (error = epi_sandbox_enter(sandbox))) {
    say("sandbox: %s", epi_error_detail());
  } else {
    say("sandbox: %s", epi_sandbox_text(sandbox));
  }
  epi_sandbox_free(sandbox);
  return error ? 2 : 0;
}
