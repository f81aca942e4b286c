/* engine.h: the proxy and the redirector: sockets, decisions, chains, relay.
 *
 * Set an engine up, start it, stop it:
 *
 *     epi_engine_new(&engine);
 *     epi_engine_set_model(engine, model);
 *     epi_engine_listen(engine, "socks://127.0.0.1:1080");
 *     epi_engine_start(engine);
 *     ...
 *     epi_engine_stop(engine);
 *     epi_engine_free(engine);
 *
 * The engine runs its workers in threads of its own. Calls on one engine may
 * come from any thread, but not from its own callbacks. While it is set up, and
 * when it is freed, they come one at a time. Those that change one that runs
 * may come at once: they wait for each other. Each such call says "Threads:
 * any, at any time": from epi_engine_new() until epi_engine_free() is called;
 * what says nothing is a call of the set-up, and EPI_ESTATE after the start. */
#ifndef EPI_ENGINE_H
#define EPI_ENGINE_H

#include "area.h"
#include "filter.h"
#include "parameters.h"
#include "sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make an engine without listeners.
 *
 * Returns 0, EPI_ESYS (no random bytes) or EPI_ENOMEM. */
EPI_API int epi_engine_new(epi_engine **out);

/* Stop an engine if it runs, and end it. NULL is fine. */
EPI_API void epi_engine_free(epi_engine *engine);

/* Tell a sandbox what an engine that was set up goes on to need: the folders of
 * files that its listeners, hops, model and audit log name, marks, low ports,
 * and running programs if it has a provision command. The model's own file, and
 * what was given to epi_engine_add_filter(), are the caller's to allow. Between
 * setting up and the start; enter it then.
 *
 * Returns as epi_sandbox_allow(). */
EPI_API int epi_engine_sandbox(const epi_engine *engine, epi_sandbox *sandbox);

/* Listen on an address, also while the engine runs, whose workers then have it
 * at once:
 *
 *     socks://HOST:PORT            SOCKS 5 and 6, told apart by the first byte
 *     tcp://HOST:PORT=DEST:PORT    reverse: everything goes to one destination
 *     redirect://HOST:PORT         connections that the kernel redirected
 *     socks+tls://  tcp+tls://     the first two, over TLS 1.2 and 1.3
 *
 * Settings follow as a query. All take `allow=RANGE,RANGE`: clients connect
 * from these IP addresses alone, as 10.0.0.0/8, and others are closed at once,
 * and counted in the log. Those of socks:// are `users=FILE` (demand a login; a
 * line `name:hash` for each user: users.h), `version=5` or `version=6` (that
 * one alone), `draft=11` or `draft=12`, `dialect=draft`, `dialect=socksx` or
 * `dialect=auto` (both, told apart by the first bytes, as far as they can be;
 * doc/socks6.md), `tfo=N` (take requests out of the SYN,
 * from N clients at once, 1 to 65535, if the kernel is set to it; such a
 * request may be carried out twice: doc/socks6.md), `udp=PORT` (a UDP port for
 * datagrams of SOCKS 6, 0 for any that is free; a log line names it),
 * `dtls=PORT&cert=FILE&key=FILE` (the same over DTLS 1.2, with a certificate
 * chain and its key as PEM; the key not readable by everybody), and
 * `bnd=ADDRESS` (the IP address that replies name, where this machine is behind
 * a translator of addresses; a BIND listens there alone if it is this
 * machine's). Settings of those over TLS (doc/tls.md): `cert=FILE,...` and
 * `key=FILE,...` (chains and keys as PEM, chosen by the name that the client
 * asks for; without key= both are in one file; keys not readable by everybody),
 * `client=ask` or `client=require` with `ca=FILE` (a certificate of the client,
 * which is the flow's user if there is no login), `crl=FILE`,
 * `alpn=NAME,...`, `tls=1.2` or `tls=1.3` (the lowest). With `=tls://DEST:PORT`
 * TLS is spoken to the destination of tcp:// or tcp+tls:// (`to-name=`,
 * `to-ca=`, `to-cert=`, `to-key=`, `to-crl=`, else as epi_engine_set_tls() has
 * them). HOST is an IP address or "localhost"; port 0 lets the kernel choose.
 * The port is bound at once. Returns 0, EPI_EINVAL, EPI_ENOTSUP (no such
 * scheme, or libepi was built without hashes of passwords), EPI_EBUSY (the port
 * is taken), EPI_EAUTH (a certificate and its key do not fit), EPI_ECRYPTO,
 * EPI_EPERM, EPI_ESYS, EPI_ENOENT (no such file), EPI_ELIMIT (over 64
 * listeners, or the file is too large), EPI_ESTATE (it drains, or was stopped)
 * or EPI_ENOMEM. An engine that runs checks what epi_engine_start() checks: a
 * hop or destination that is this listener is EPI_EINVAL. Which of the model's
 * proxies this is does not change by it. Threads: any, at any time.
 */
EPI_API int epi_engine_listen(epi_engine *engine, const char *url);

/* Listen no more with a listener, by its URL as it was given, or SCHEME://
 * HOST:PORT as log lines have it, with the port that it got; of several the
 * first. Its flows go on, but datagrams come and go no more by its UDP ports.
 * Who is in its queue is served, and an engine that runs waits until it is
 * closed, for a second at most while workers are busy. The last listener cannot
 * go while it runs. Sessions of SOCKS 6 end unless another listener has the
 * same users.
 *
 * Returns 0, EPI_ENOENT (no such listener), EPI_ESTATE (it is the last, or the
 * engine drains or was stopped) or EPI_ENOMEM. Threads: any, at any time. */
EPI_API int epi_engine_unlisten(epi_engine *engine, const char *url);

/* Have another URL take a listener's place while the engine runs, named as for
 * epi_engine_unlisten(): other settings, or its files read anew. With the same
 * HOST:PORT, or port 0, the sockets stay, and so does who is in the queue;
 * those of UDP do if their ports stay, but DTLS clients begin anew.
 *
 * Returns 0, EPI_ENOENT (no such listener), EPI_ESTATE (it does not run), or as
 * epi_engine_listen(); nothing changes then. Threads: any, at any time. */
EPI_API int epi_engine_relisten(epi_engine *engine, const char *url,
                                const char *by);

/* Give an engine a socket that another program has made, a service manager or
 * the one that this takes over from, before listening: a TCP socket that
 * listens, or a UDP socket that is bound. epi_engine_listen(), and a port of
 * the model, uses the sockets that were given for its address instead of
 * binding any; for port 0 those of the first that has the IP address. Each
 * worker has one. Of TCP sockets that are fewer than workers some are shared,
 * and each connection wakes all who share; of UDP sockets there must be as
 * many. Those that nothing uses are let go by epi_engine_start(), and the log
 * names them.
 *
 * fd stays yours, and can be closed at once: the engine has a descriptor of its
 * own. What belongs to the socket itself, that it does not block above all,
 * changes for whoever has it. Returns 0, EPI_EINVAL (no such socket),
 * EPI_ELIMIT (over 2,048, or no descriptors), or EPI_ESTATE (it was started).
 */
EPI_API int epi_engine_adopt_socket(epi_engine *engine, int fd);

/* The sockets that an engine listens with, TCP and UDP, in the order in which
 * another program is to adopt them, from 0: for an engine that takes over while
 * this one drains, so that nobody is refused in between.
 *
 * Returns a descriptor, which closes on exec; it is the engine's, and good
 * until the next call that listens or ends that, sets a model, drains or stops.
 * Or EPI_EINVAL (no such socket). Threads: any, while none makes such a call.
 */
EPI_API int epi_engine_socket(const epi_engine *engine, size_t index);

/* Read the users files of the listeners again that have changed, those of
 * `users=FILE`; call it now and then, it costs a look at each. Flows of
 * users who are gone are cut, those of others go on, also if the password is
 * another. A bad file changes nothing, and the log says why, once; one that
 * could not be read for want of memory or descriptors is tried again each time.
 *
 * Returns how many were read again, or the error of a bad one. Threads: any, at
 * any time. */
EPI_API int epi_engine_reload_users(epi_engine *engine);

/* The address that a listener has, in order of listening, from 0; with port 0
 * in its URL, the port that it got. One that goes moves the later ones up; one
 * that takes another's place has its index. Ports that a model gives the proxy
 * are not among these: the model says where they are.
 *
 * Returns 0 or EPI_EINVAL (no such listener). Threads: any, at any time. */
EPI_API int epi_engine_listener_addr(const epi_engine *engine, size_t index,
                                     epi_addr *out);

/* The URL that a listener was given, by the same index. Free *out with
 * epi_free().
 *
 * Returns 0, EPI_EINVAL (no such listener) or EPI_ENOMEM. Threads: any, at any
 * time. */
EPI_API int epi_engine_listener_url(const epi_engine *engine, size_t index,
                                    char **out);

/* Send every flow through a further proxy, before the start; hops are passed
 * in order of adding, up to 16:
 *
 *     socks5://HOST:PORT    socks6://HOST:PORT    and these with +tls
 *
 * with `credentials=FILE` (one line, user:password; not readable by everybody)
 * and, of socks6://, `draft=11`, `draft=12` or `dialect=socksx` as a query, or
 * user:password@ before the host; over TLS `name=NAME` (whose certificate it
 * is, left out: HOST's), `ca=FILE` (left out: the system's authorities),
 * `cert=FILE&key=FILE` (our own), `crl=FILE`, `staple=require`, `tls=1.3`.
 * Returns 0, EPI_EINVAL, EPI_EAUTH or EPI_ECRYPTO (the certificates),
 * EPI_ENOENT, EPI_EPERM or EPI_ESYS (the file), EPI_ELIMIT, EPI_ESTATE or
 * EPI_ENOMEM. */
EPI_API int epi_engine_add_hop(epi_engine *engine, const char *url);

/* Set what hops whose URL begins with socks5+tls:// or socks6+tls:// use where
 * the URL says nothing, before the start; for a model names no files of one
 * machine. name is that of a setting (doc/tls.md): "ca", "cert", "key", "crl",
 * "staple" or "tls"; value is copied, NULL takes it back. Files are read when a
 * hop is added, or used first: set it before you add hops, and listeners with
 * =tls://, for these keep to what was set then.
 *
 * Returns 0, EPI_EINVAL (no such setting), EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_engine_set_tls(epi_engine *engine, const char *name,
                               const char *value);

/* Read files of certificates, keys, authorities and revocation lists anew, of
 * listeners and hops: those that changed, or with all 1 every one. What they
 * hold counts for connections from then on; those that run stay as they are.
 * Files that are bad, or do not fit each other, change nothing; the log says so
 * once. Call it as often as you like, it looks at files before it reads them.
 *
 * Returns how many listeners and hops have changed, or the error of the last
 * one that is bad: EPI_EINVAL, EPI_EAUTH, EPI_ECRYPTO or that of its file.
 * Threads: any, also while the engine runs. */
EPI_API int epi_engine_reload_tls(epi_engine *engine, int all);

/* Send every flow through a filter, before the start; up to 16, in order. The
 * engine holds a reference.
 *
 * Returns 0, EPI_EINVAL, EPI_ELIMIT or EPI_ESTATE. */
EPI_API int epi_engine_add_filter(epi_engine *engine, epi_filter *filter);

/* Make a built-in filter from `NAME[:ARGS]`: count, seal, open, gate, inspect,
 * compress, expand or record (doc/filters.md).
 *
 * key is for filters that need one and whose arguments name no file; it is
 * copied, and may be NULL.
 * Returns 0, EPI_ENOENT (no such filter, or no such file), EPI_EINVAL (its
 * arguments, or it needs a key), EPI_EPERM, EPI_ELIMIT or EPI_ESYS (the file),
 * EPI_ENOTSUP (libepi was built without zstd) or EPI_ENOMEM. Threads: any. */
EPI_API int epi_filter_new_builtin(epi_filter **out, const char *spec,
                                   const void *key, size_t key_len);

/* Make a filter from a shared object, `PATH[:ARGS]`, where PATH has a /
 * (filter.h says what it must have: EPI_FILTER_INTERFACE). Its code runs in
 * this process with all that this process may do, and is never unloaded; a file
 * that changes later counts from the next start.
 *
 * Returns 0, EPI_ENOENT (no such file), EPI_EPERM (everybody can change it),
 * EPI_EINVAL (no shared object, or no filter), EPI_EVERSION (made for another
 * version of the interface), EPI_ESYS, or the error of the object itself.
 * Threads: any. */
EPI_API int epi_filter_new_from_file(epi_filter **out, const char *spec);

/* Let models name shared objects in one folder, by their file names, before the
 * start and before the model; NULL takes it back. Without this no model can
 * have code loaded.
 *
 * Returns 0, EPI_ENOENT (no such folder), EPI_EPERM (everybody can put files
 * there), EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_engine_set_filter_path(epi_engine *engine, const char *folder);

/* Judge flows by a model; NULL: by none. The engine holds a reference. May be
 * called while it runs: new flows are judged by the new model at once, and
 * flows that it does not allow any more, or only through another chain, are
 * cut, each with a log line, and one that says how many that were and how long
 * it took (doc/live.md).
 *
 * An engine that runs also listens at the ports that the model gives it as one
 * of its proxies, and at no others that a model gave it: those of both models
 * keep their sockets, so that no connection is refused meanwhile, and a log
 * line names each that opens, closes or leads elsewhere. What came to a port
 * that the model has no more, or for another node or destination, is cut.
 *
 * Returns 0; an error of epi_filter_new_builtin() or epi_filter_new_from_file()
 * if a filter that the model names cannot be made (the detail says which);
 * EPI_EDENIED if it names a shared object that it may not have; EPI_EBUSY,
 * EPI_EPERM or EPI_ESYS if a port cannot be listened at, EPI_EINVAL if one
 * leads to this proxy, which the detail names; EPI_ESTATE if this engine is a
 * function; or EPI_ENOMEM. The engine keeps the old model then. Threads: any,
 * at any time; the model is the engine's to read from many of them. */
EPI_API int epi_engine_set_model(epi_engine *engine, epi_model *model);

/* Say which of the model's proxies this is, before the start. Without this it
 * is the one whose endpoint is a listener's address; else it only judges. NULL
 * takes it back.
 *
 * Returns 0, EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_engine_set_name(epi_engine *engine, const char *name);

/* Set the key that proxies share to believe each other's word on a flow's
 * source and plan, 16 to 1,024 bytes, before the start and before the model,
 * whose filters may need it. It is copied, and wiped at the end.
 *
 * Returns 0, EPI_EINVAL, EPI_ESTATE (too late, or this is a function),
 * EPI_ECRYPTO or EPI_ENOMEM. */
EPI_API int epi_engine_set_chain_key(epi_engine *engine, const void *key,
                                     size_t len);

/* Bytes of a function's own key. */
#define EPI_FUNCTION_KEY 32

/* Make the key of a function at an endpoint, EPI_FUNCTION_KEY bytes to out, of
 * the proxies' chain key and its name in their models. Who has it can show that
 * this function saw a flow, and nothing else: wipe it after use.
 *
 * Returns 0, EPI_EINVAL (a name of 1 to 255 bytes and a key of at least 16) or
 * EPI_ECRYPTO. Threads: any. */
EPI_API int epi_function_key(void *out, const void *chain_key, size_t len,
                             const char *name);

/* Say which function of the proxies' models this engine is, before the start;
 * key is that of epi_function_key(). It then takes the requests alone that a
 * proxy with the chain key meant for it, believes what they say of a flow's
 * source, and shows the next proxy that the flow passed (doc/chains.md). A
 * function has neither a chain key nor a model. Both arguments are copied; the
 * key is wiped at the end.
 *
 * Returns 0, EPI_EINVAL, EPI_ESTATE (it was started, or has one of these) or
 * EPI_ENOMEM. */
EPI_API int epi_engine_set_function(epi_engine *engine, const char *name,
                                    const void *key);

/* What happens to flows while no line of the audit log can be written. */
#define EPI_AUDIT_REFUSE 1 /* they are refused */
#define EPI_AUDIT_IGNORE 2 /* they go on; the log says so loudly */

/* Audit: append a line to a file for each decision about a flow and each end of
 * one, before the start; on_error is EPI_AUDIT_*. No line has payload. The
 * lines are chained with a key of EPI_AUDIT_KEY_MIN to EPI_AUDIT_KEY_MAX bytes,
 * which is copied and wiped at the end (doc/audit.md, audit.h). A file that is
 * there is checked first, and its chain goes on; a line that is not whole is
 * cut off, and the next one says so. A file that is renamed or removed while
 * the engine runs is followed by a new one.
 *
 * A thread of its own writes the lines; those of at most 1 MiB wait for the
 * disk. Flows whose lines wait when it first fails were allowed.
 * Returns 0; EPI_EINVAL (no path, the key's length, or on_error); EPI_EPROTO
 * (the chain of the file is broken, or of another key); EPI_EBUSY (another
 * engine writes to it); EPI_ENOENT, EPI_EPERM or EPI_ESYS (the file);
 * EPI_ESTATE (it was started, or audits already); or EPI_ENOMEM. */
EPI_API int epi_engine_set_audit(epi_engine *engine, const char *path,
                                 const void *key, size_t len, int on_error);

/* Write such a line now: a head, whose MAC vouches for all lines before it, and
 * which the engine's log names as well. A file that was renamed or removed is
 * left for a new one with it, if it was not before.
 *
 * Returns 0, EPI_ESTATE (there is no audit log), EPI_ELIMIT (too many lines
 * wait for the disk) or EPI_ENOMEM. Threads: any, at any time. */
EPI_API int epi_engine_audit_head(epi_engine *engine);

/* Rename the audit log's file to a path in the same folder, where nothing may
 * be, and go on with it there; a line `moved` says so. Another process can then
 * begin a log of its own at the path that is left, while this engine drains.
 *
 * Returns 0, EPI_EINVAL (no path), EPI_ESTATE (there is no audit log),
 * EPI_EBUSY (something is at the path), EPI_EPERM, EPI_ESYS or EPI_ENOMEM; the
 * file is where it was then. Threads: any, at any time. */
EPI_API int epi_engine_move_audit(epi_engine *engine, const char *path);

/* Send metadata along with every flow, EPI_META_* of socks.h, before the
 * start; NULL takes it back.
 *
 * Returns 0, EPI_EINVAL, EPI_ELIMIT, EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_engine_set_metadata(epi_engine *engine, int key,
                                    const char *value);

/* Serve DNS to clients that CONNECT to 0.0.0.0 or [::], port 53 (draft-11, "DNS
 * provided by SOCKS"), by connecting them to this server; before the start. It
 * is judged as any destination. NULL, the default, takes it back: they are
 * refused.
 *
 * Returns 0, EPI_EINVAL (no host, or no port) or EPI_ESTATE. */
EPI_API int epi_engine_set_dns(epi_engine *engine, const epi_addr *server);

/* Levels of log lines. */
#define EPI_LOG_ERROR 1
#define EPI_LOG_NOTE  2 /* flows that open, end, are refused */
#define EPI_LOG_DEBUG 3

/* Call back with log lines, before the start. They have no line end, hold no
 * payload and no secret, and bytes from peers are made printable.
 * Threads: the callback runs in workers, and in calls upon the engine, one at a
 * time. */
EPI_API void epi_engine_on_log(epi_engine *engine,
                               void (*callback)(int level, const char *line,
                                                void *user),
                               void *user);

/* Listen at the ports that the model gives this proxy, and start the workers.
 *
 * Returns 0, EPI_ESTATE (it was started, or listens nowhere), EPI_EINVAL (the
 * name is none of the model's proxies, a hop or plain destination is one of its
 * own listeners, or BINDs may have no port), EPI_EBUSY or EPI_EPERM (such a
 * port cannot be had), EPI_ESYS or EPI_ENOMEM; nothing runs then. */
EPI_API int epi_engine_start(epi_engine *engine);

/* Drain: close all listeners, and let flows finish for at most ms milliseconds,
 * from 0 to 2,147,483,647; those that are left then are cut, with a log line.
 * Who was waiting to be accepted still is. Datagrams come no more by the UDP
 * ports of listeners. The engine runs on, and opens no listener any more, not
 * those of a new model either; once epi_engine_has_drained() it can be stopped.
 * Calling it again gives the flows another time from then on, and 0 cuts them
 * at once.
 *
 * Does not wait. Returns 0, EPI_EINVAL (ms), EPI_ESTATE (it does not run) or
 * EPI_ENOMEM. Threads: any, at any time. */
EPI_API int epi_engine_drain(epi_engine *engine, int64_t ms);

/* Say whether an engine that drains has ended all of its flows.
 *
 * Returns 1 or 0. Threads: any, at any time. */
EPI_API int epi_engine_has_drained(const epi_engine *engine);

/* Stop: close the listeners, cut all flows, end the workers, wait for that.
 * An engine starts only once: one that was stopped, or whose start failed
 * half-way, is of no more use. Threads: any, at any time, but not the engine's
 * own: it would wait for itself. */
EPI_API void epi_engine_stop(epi_engine *engine);

/* What epi_engine_count() counts. A client that left without having sent a byte
 * is none of the last: it was open, and nothing else. */
#define EPI_COUNT_OPEN     1 /* flows open now */
#define EPI_COUNT_ALLOWED  2 /* flows that were allowed, so far */
#define EPI_COUNT_REFUSED  3 /* flows that policy refused, so far */
#define EPI_COUNT_FAILED   4 /* flows that failed otherwise, so far */
#define EPI_COUNT_BUFFERED 5 /* bytes that flows hold now */

/* Count flows, over all workers. Returns the count, or EPI_EINVAL. Threads:
 * any, at any time. */
EPI_API int64_t epi_engine_count(const epi_engine *engine, int what);

/* Write the instances of the functions that run at endpoints, as a JSON list of
 * objects: `function`, its name; `url`, without a password; `answers`, false if
 * the last that was seen of it is that it does not; `retired`, true if the
 * model in force does not have it, and flows that it still has are to end; and
 * `flows`, how many go through it now. By functions' names, in the order in
 * which they became known. Free *out with epi_free().
 *
 * Returns 0 or EPI_ENOMEM. Threads: any, at any time. */
EPI_API int epi_engine_instances(const epi_engine *engine, char **out);

/* Read a model document from a file, "-" for standard input.
 *
 * Returns as epi_model_read(), or EPI_ENOENT, EPI_EPERM or EPI_ESYS (the detail
 * names the file). Threads: any. */
EPI_API int epi_model_read_file(epi_model **out, epi_report *problems,
                                const char *path);

/* Wait until something takes connections at a URL's HOST:PORT, as a proxy or a
 * function that was just started. Blocks for at most timeout_ms.
 *
 * Returns 0, EPI_EINVAL (no SCHEME://HOST:PORT), EPI_ERESOLVE, EPI_ETIMEOUT or
 * EPI_ESYS. Threads: any. */
EPI_API int epi_endpoint_wait(const char *url, int64_t timeout_ms);

/* States of a service for epi_service_tell(). */
#define EPI_SERVICE_READY     1
#define EPI_SERVICE_RELOADING 2 /* its settings; READY follows */
#define EPI_SERVICE_STOPPING  3

/* Tell the service manager that started this process, if it asked to be told
 * (NOTIFY_SOCKET, as systemd has it), how the service is.
 *
 * Returns 1, 0 (nobody asked), EPI_EINVAL (no such state) or EPI_ESYS (the
 * socket is not there). Threads: any, while none changes the environment. */
EPI_API int epi_service_tell(int state);

/* Tell it that another process is the service from now on, and that this one
 * ends without being missed.
 *
 * Returns as epi_service_tell(), EPI_EINVAL if pid is not above 0. */
EPI_API int epi_service_pass_on(int64_t pid);

/* ---- a flow, inside a filter's callbacks ---- */

/* What these return is valid until the callback returns. */

/* Where the flow comes from: the original source if an authenticated proxy
 * named it, else the TCP peer; and where it goes to. */
EPI_API const epi_addr *epi_flow_source(const epi_flow *flow);
EPI_API const epi_addr *epi_flow_dest(const epi_flow *flow);

/* The user that logged in, or "". */
EPI_API const char *epi_flow_user(const epi_flow *flow);

/* Metadata that came with the flow, EPI_META_* of socks.h, or NULL. Only a
 * peer that holds the chain key is trusted to tell the truth in libepi's own
 * keys; what others said there is not shown. */
EPI_API const char *epi_flow_metadata(const epi_flow *flow, int key);

/* The decision that lets the flow live, or NULL without a model. */
EPI_API const epi_decision *epi_flow_decision(const epi_flow *flow);

#ifdef __cplusplus
}
#endif

#endif
