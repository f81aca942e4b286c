/* socks.h: the messages of SOCKS 5 and SOCKS 6, without I/O.
 *
 * A request says what is asked, a reply what came of it; the version is an
 * argument of reading and writing only. Sources: RFC 1928, RFC 1929,
 * draft-olteanu-intarea-socks-6-11 and -12. */
#ifndef EPI_SOCKS_H
#define EPI_SOCKS_H

#include "addr.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Versions. The two drafts of SOCKS 6 differ in details (doc/socks6.md). */
#define EPI_SOCKS5    5
#define EPI_SOCKS6    6   /* draft-11 */
#define EPI_SOCKS6_12 612 /* draft-12 */
#define EPI_SOCKSX    600 /* socksx's dialect of SOCKS 6, CONNECT alone */

/* Commands (RFC 1928 section 4, draft-11 section 4). */
#define EPI_NOOP          0 /* SOCKS 6 only */
#define EPI_CONNECT       1
#define EPI_BIND          2
#define EPI_UDP_ASSOCIATE 3

/* Reply codes (RFC 1928 section 6, draft-11 section 7). */
#define EPI_REPLY_SUCCESS             0
#define EPI_REPLY_FAILURE             1
#define EPI_REPLY_NOT_ALLOWED         2
#define EPI_REPLY_NETWORK_UNREACHABLE 3
#define EPI_REPLY_HOST_UNREACHABLE    4
#define EPI_REPLY_REFUSED             5
#define EPI_REPLY_TTL_EXPIRED         6
#define EPI_REPLY_NO_COMMAND          7
#define EPI_REPLY_NO_ADDRESS_TYPE     8
#define EPI_REPLY_TIMED_OUT           9 /* SOCKS 5 has no such code: sent as 4 */

/* Limits: a user name and a password (RFC 1929), the options of a SOCKS 6
 * message in each draft, initial data (draft-11 section 8.2), and metadata:
 * entries of a message and bytes of a value. */
#define EPI_LOGIN_MAX          255
#define EPI_OPTIONS_MAX        16384
#define EPI_OPTIONS_MAX_12     20480
#define EPI_INITIAL_DATA_MAX   16384
#define EPI_METADATA_MAX       64
#define EPI_METADATA_VALUE_MAX 4096

/* Keys of metadata, which travels in SOCKS 6 options of kind 65000 as socksx
 * has it. 1 to 3 are Brane's, 998 to 1015 socksx's chain, the rest libepi's. */
#define EPI_META_APPLICATION   1
#define EPI_META_LOCATION      2
#define EPI_META_JOB           3
#define EPI_META_CHAIN_INDEX   998
#define EPI_META_CHAIN_LENGTH  999
#define EPI_META_CHAIN_LINK    1000 /* link i is key 1000 + i */
#define EPI_META_SOURCE        2000 /* address of the original source */
#define EPI_META_SOURCE_NODE   2001
#define EPI_META_PURPOSE       2002
#define EPI_META_DATASET       2003
#define EPI_META_USER          2004
#define EPI_META_RULE          2005
#define EPI_META_MODEL         2006 /* hash of the model that decided */
#define EPI_META_PLAN          2007 /* remaining hops, as JSON */
#define EPI_META_PASSED        2008 /* ids of the proxies passed */
#define EPI_META_ISSUED        2009 /* when, and a number used once */
#define EPI_META_AUTHENTICATOR 2010 /* HMAC-SHA256 over libepi's keys */
#define EPI_META_REASON        2011 /* in replies: why it is no success */
#define EPI_META_TICKETS       2012 /* for functions to be passed, HMACs */
#define EPI_META_PROOF         2013 /* of those passed, HMACs */
#define EPI_META_AUTHENTICATED 2014 /* by what the source was, in words */

typedef struct epi_request epi_request;
typedef struct epi_reply epi_reply;

/* ---- request ---- */

/* Make a request: CONNECT to nowhere, without login and metadata.
 *
 * Returns 0 or EPI_ENOMEM. */
EPI_API int epi_request_new(epi_request **out);

/* End a request and wipe its password. NULL is fine. */
EPI_API void epi_request_free(epi_request *request);

/* Set and read the command, EPI_CONNECT and so on. Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_command(epi_request *request, int command);
EPI_API int epi_request_command(const epi_request *request);

/* Set and read where to. Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_dest(epi_request *request, const epi_addr *dest);
EPI_API const epi_addr *epi_request_dest(const epi_request *request);

/* Set user name and password, 1 to 255 bytes and 0 to 255 bytes; both NULL for
 * none. They are copied. Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_login(epi_request *request, const char *user,
                                  const char *password);

/* The user name, or NULL if the request has no login. */
EPI_API const char *epi_request_user(const epi_request *request);

/* The password, or NULL. Never print it. */
EPI_API const char *epi_request_password(const epi_request *request);

/* Set metadata of a key; it replaces what the key had; value NULL removes it.
 *
 * Returns 0, EPI_EINVAL (a key outside 0 to 65535, or a value that is not
 * UTF-8), EPI_ELIMIT (too long, or EPI_METADATA_MAX entries are there) or
 * EPI_ENOMEM; nothing changes then. */
EPI_API int epi_request_set_metadata(epi_request *request, int key,
                                     const char *value);

/* The metadata of a key, or NULL; valid until it is set again. */
EPI_API const char *epi_request_metadata(const epi_request *request, int key);

/* Go through all metadata, in the order of setting: the key at an index from
 * 0, or EPI_ENOENT past the end. */
EPI_API int epi_request_metadata_key(const epi_request *request, size_t index);

/* Read a request from what a client sent, from its first byte (for SOCKS 5 the
 * request message of RFC 1928 section 4, without greeting and login).
 *
 * Returns the bytes used; 0 while the request is not all there; EPI_EVERSION
 * or EPI_EPROTO for what no client may send; EPI_ELIMIT or EPI_ENOMEM. out is
 * then untouched. Never reads past len. */
EPI_API ptrdiff_t epi_request_read(epi_request *out, int version,
                                   const void *buf, size_t len);

/* Write a request; for SOCKS 6 with login and metadata as options. buf may be
 * NULL to ask for the size.
 *
 * Returns the bytes that it takes, or EPI_EINVAL, or EPI_ELIMIT (size is too
 * small, or the options are over the version's limit). */
EPI_API ptrdiff_t epi_request_write(const epi_request *request, int version,
                                    void *buf, size_t size);

/* ---- reply ---- */

/* Make a reply: success, bound to 0.0.0.0:0. Returns 0 or EPI_ENOMEM. */
EPI_API int epi_reply_new(epi_reply **out);

/* End a reply. NULL is fine. */
EPI_API void epi_reply_free(epi_reply *reply);

/* Set and read the code, 0 to 255. Returns 0 or EPI_EINVAL. */
EPI_API int epi_reply_set_code(epi_reply *reply, int code);
EPI_API int epi_reply_code(const epi_reply *reply);

/* Set and read the address that the proxy bound. Returns 0 or EPI_EINVAL. */
EPI_API int epi_reply_set_bound(epi_reply *reply, const epi_addr *bound);
EPI_API const epi_addr *epi_reply_bound(const epi_reply *reply);

/* Metadata of a reply, as for a request; SOCKS 5 has no room for it. */
EPI_API int epi_reply_set_metadata(epi_reply *reply, int key,
                                   const char *value);
EPI_API const char *epi_reply_metadata(const epi_reply *reply, int key);
EPI_API int epi_reply_metadata_key(const epi_reply *reply, size_t index);

/* Read and write a reply (RFC 1928 section 6; the operation reply of SOCKS
 * 6), as for a request. */
EPI_API ptrdiff_t epi_reply_read(epi_reply *out, int version, const void *buf,
                                 size_t len);
EPI_API ptrdiff_t epi_reply_write(const epi_reply *reply, int version,
                                  void *buf, size_t size);

/* Say what a reply code means, in the words of the RFC.
 *
 * Returns a text that is valid for ever. Threads: any. */
EPI_API const char *epi_reply_text(int code);

#ifdef __cplusplus
}
#endif

#endif
