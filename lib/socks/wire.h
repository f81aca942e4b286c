/* wire.h: the messages of SOCKS 5 and SOCKS 6 as bytes.
 *
 * A function that reads takes a message from its first byte and returns the
 * bytes used, 0 while the message is not all there, or an error: EPI_EVERSION
 * or EPI_EPROTO with the field in the detail. What is wrong with the first
 * bytes is said before more of them come, and never depends on how the message
 * was cut. Outputs are written on success only. A function that writes puts
 * the message into a writer, which counts. */
#ifndef EPI__WIRE_H
#define EPI__WIRE_H

#include "base/bytes.h"
#include "socks/message.h"

/* Authentication methods (RFC 1928 section 3). */
enum {
  EPI__METHOD_NONE = 0,
  EPI__METHOD_LOGIN = 2, /* user name and password, RFC 1929 */
  EPI__METHOD_REFUSED = 0xff,
};

/* 1 if a version of SOCKS has a command. */
int epi__version_has_command(int version, int command);

/* ---- addresses ---- */

/* How a host name stands on the wire, behind its length byte. */
enum {
  EPI__NAME_PLAIN,   /* SOCKS 5: as it is */
  EPI__NAME_PADDED,  /* draft-11: NULs behind it, which the length leaves out */
  EPI__NAME_COUNTED, /* draft-12: NULs behind it, which the length counts */
};

/* Read an address of a type; its port is 0. For a padded or a counted name,
 * both are taken. `what` is the message, for the detail.
 *
 * Returns 0, which says nothing about in->missing, or EPI_EPROTO. */
int epi__wire_addr_read(epi__reader *in, unsigned type, int names,
                        const char *what, epi_addr *out);

/* Write an address of a kind other than EPI_ADDR_NONE, without its port. */
void epi__wire_addr_write(epi__writer *out, int names, const epi_addr *addr);

/* 1 if there are addresses of that type. */
int epi__wire_addr_known(unsigned type);

/* ---- SOCKS 5 (RFC 1928) ---- */

/* The greeting: which methods the client takes. */
ptrdiff_t epi__socks5_greeting_read(epi__advert *out, const void *buf,
                                    size_t len);
void epi__socks5_greeting_write(epi__writer *out, int with_login);

/* The method that the server selected. */
ptrdiff_t epi__socks5_method_read(unsigned *out, const void *buf, size_t len);

/* The request of RFC 1929, of which SOCKS 6 makes use as well. */
ptrdiff_t epi__login_read(epi__login *out, const void *buf, size_t len);
void epi__login_write(epi__writer *out, const epi__login *login);

/* The reply of RFC 1929: status 0 is success. */
ptrdiff_t epi__login_reply_read(unsigned *out, const void *buf, size_t len);
void epi__login_reply_write(epi__writer *out, unsigned status);

/* The request: sets command, any byte, and dest of *out, nothing else. */
ptrdiff_t epi__socks5_request_read(epi_request *out, const void *buf,
                                   size_t len);

/* The reply code for a request that could not be read. */
int epi__socks5_refusal(const void *buf, size_t len);

/* Returns 0 or EPI_EINVAL: nowhere to connect to, or a command that SOCKS 5
 * does not have. */
int epi__socks5_request_write(epi__writer *out, const epi_request *request);

ptrdiff_t epi__socks5_reply_read(epi_reply *out, const void *buf, size_t len);
void epi__socks5_reply_write(epi__writer *out, const epi_reply *reply);

/* ---- where socksx has its fields ---- */

/* What a request or an operation reply has in front of its options. */
typedef struct epi__head {
  unsigned second; /* command or reply code */
  size_t options_len;
  epi_addr addr;
} epi__head;

/* Returns 0, which says nothing about in->missing, EPI_EVERSION or
 * EPI_EPROTO. */
int epi__socksx_head_read(epi__reader *in, int is_reply, const char *what,
                          epi__head *out);
void epi__socksx_head_write(epi__writer *out, int is_reply, int second,
                            size_t options_len, const epi_addr *addr);

/* Tell the layout of a request of SOCKS 6 by its first bytes, from the version
 * on: 1 for socksx's, 0 for the draft's, -1 if more bytes are needed, which are
 * at most 8. The answer does not change with more bytes. A few requests of
 * socksx are taken for the draft's: some to an IPv4 address that ends in .0, or
 * to an IPv6 address with a 0 in its fourth byte. */
int epi__socksx_tell(const void *buf, size_t len);

/* ---- SOCKS 6; draft is EPI_SOCKS6, EPI_SOCKS6_12 or EPI_SOCKSX ---- */

/* Sets all of *out, and ends what it held; EPI_ENOMEM, and EPI_ELIMIT for
 * authentication data or an id of a session beyond what libepi keeps, too. */
ptrdiff_t epi__socks6_request_read(epi_request *out, int draft, const void *buf,
                                   size_t len);

/* The reply code for a request that could not be read, or -1: it is malformed,
 * and no code says so. */
int epi__socks6_refusal(int draft, const void *buf, size_t len);

/* Returns 0, EPI_EINVAL (nowhere to connect to, or a command that socksx does
 * not have) or EPI_ELIMIT (options). */
int epi__socks6_request_write(epi__writer *out, int draft,
                              const epi_request *request);

/* The authentication reply (draft-11 section 6), as a request is read. For
 * socksx EPI_EREFUSED too, when an operation reply came in its place. */
ptrdiff_t epi__socks6_auth_reply_read(epi_auth_reply *out, int draft,
                                      const void *buf, size_t len);
/* Returns 0, EPI_EINVAL (a success that says that it is none) or EPI_ELIMIT
 * (options). */
int epi__socks6_auth_reply_write(epi__writer *out, int draft,
                                 const epi_auth_reply *reply);

/* The operation reply, as a request is read. */
ptrdiff_t epi__socks6_reply_read(epi_reply *out, int draft, const void *buf,
                                 size_t len);
/* Returns 0 or EPI_ELIMIT (options). */
int epi__socks6_reply_write(epi__writer *out, int draft,
                            const epi_reply *reply);

/* ---- the options of SOCKS 6 ---- */

/* The largest size of the options of a message. */
size_t epi__options_max(int draft);

/* Check the length of the options that a message says. Returns 0 or
 * EPI_EPROTO. */
int epi__options_len_check(int draft, const char *what, size_t len);

/* Read all options of a message. Unknown kinds are skipped.
 *
 * Returns 0, EPI_EPROTO, EPI_ELIMIT or EPI_ENOMEM; what was read so far is then
 * in *out. */
int epi__request_options_read(epi__reader *options, int draft,
                              epi_request *out);
int epi__auth_options_read(epi__reader *options, int draft,
                           epi_auth_reply *out);
int epi__reply_options_read(epi__reader *options, int draft, epi_reply *out);

/* 0, or the code for an authentication reply that contradicts itself. */
int epi__auth_reply_check(const epi_auth_reply *reply, int code);

void epi__request_options_write(epi__writer *out, int draft,
                                const epi_request *request);
void epi__auth_options_write(epi__writer *out, int draft,
                             const epi_auth_reply *reply);
void epi__reply_options_write(epi__writer *out, int draft,
                              const epi_reply *reply);

#endif
