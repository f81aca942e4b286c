/* datagram.h: what UDP ASSOCIATE carries, of SOCKS 5 and SOCKS 6, without I/O.
 *
 * SOCKS 5 puts a header before each datagram between client and proxy (RFC
 * 1928 section 7). SOCKS 6 has messages of four types (draft-11 section 7.3),
 * which travel over the TCP connection, over UDP or over DTLS. */
#ifndef EPI_DATAGRAM_H
#define EPI_DATAGRAM_H

#include "socks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Types of messages; SOCKS 5 has EPI_UDP_DATAGRAM alone. */
#define EPI_UDP_INIT     1 /* proxy: this is the association's id */
#define EPI_UDP_CONFIRM  2 /* proxy: your first datagram came */
#define EPI_UDP_DATAGRAM 3
#define EPI_UDP_ERROR    4 /* proxy: an ICMP error came */

/* Codes of EPI_UDP_ERROR. */
#define EPI_UDP_ERROR_NETWORK 1 /* network unreachable */
#define EPI_UDP_ERROR_HOST    2 /* host unreachable */
#define EPI_UDP_ERROR_TTL     3 /* TTL expired */
#define EPI_UDP_ERROR_TOO_BIG 4 /* datagram too big, IPv6 only */

/* The largest message of SOCKS 6, whose length has two bytes, and the longest
 * header of either version. */
#define EPI_UDP_MESSAGE_MAX 65535
#define EPI_UDP_HEADER_MAX  276

/* One message; made once and used again and again, without allocation. */
typedef struct epi_datagram epi_datagram;

/* Make an empty datagram to 0.0.0.0:0. Returns 0 or EPI_ENOMEM. */
EPI_API int epi_datagram_new(epi_datagram **out);
EPI_API void epi_datagram_free(epi_datagram *datagram);

/* Set and read the type, EPI_UDP_*. Returns 0 or EPI_EINVAL. */
EPI_API int epi_datagram_set_type(epi_datagram *datagram, int type);
EPI_API int epi_datagram_type(const epi_datagram *datagram);

/* Set and read the association's id, of SOCKS 6. */
EPI_API void epi_datagram_set_association(epi_datagram *datagram, uint64_t id);
EPI_API uint64_t epi_datagram_association(const epi_datagram *datagram);

/* Set and read the remote host: where a client's datagram goes to, where a
 * proxy's came from, what an error is about. Returns 0 or EPI_EINVAL. */
EPI_API int epi_datagram_set_remote(epi_datagram *datagram,
                                    const epi_addr *remote);
EPI_API const epi_addr *epi_datagram_remote(const epi_datagram *datagram);

/* Set and read the data. It is not copied: what is set must stay until the
 * datagram is written, what is read lies in the buffer that was read.
 *
 * Returns 0 or EPI_ELIMIT (over 65,507 bytes); the getter returns the length.
 */
EPI_API int epi_datagram_set_data(epi_datagram *datagram, const void *data,
                                  size_t len);
EPI_API size_t epi_datagram_data(const epi_datagram *datagram,
                                 const void **out);

/* The fragment number of SOCKS 5: 0 for a datagram that stands alone. */
EPI_API int epi_datagram_fragment(const epi_datagram *datagram);

/* Set and read what EPI_UDP_ERROR says: EPI_UDP_ERROR_*, and the host that
 * reported it, an IP address. Returns 0 or EPI_EINVAL. */
EPI_API int epi_datagram_set_error(epi_datagram *datagram, int code,
                                   const epi_addr *reporter);
EPI_API int epi_datagram_error(const epi_datagram *datagram,
                               const epi_addr **reporter);

/* Read a message from its first byte: what came in one datagram, or, of SOCKS
 * 6, any part of what came over the TCP connection. *out refers to buf.
 *
 * Returns the bytes used, which of SOCKS 5 are all and of SOCKS 6 may be fewer
 * (what follows is padding in a datagram, the next message on a connection); 0
 * if the message is not all there (in a datagram: drop it, as the draft says);
 * EPI_EPROTO or EPI_EVERSION. Allocates nothing. */
EPI_API ptrdiff_t epi_datagram_read(epi_datagram *out, int version,
                                    const void *buf, size_t len);

/* Write a message, or all of it that comes before the data.
 *
 * Returns the bytes that it takes, EPI_EINVAL (SOCKS 5 has no such type, or the
 * remote host is none) or EPI_ELIMIT (size, or the message is too long). */
EPI_API ptrdiff_t epi_datagram_write(const epi_datagram *datagram, int version,
                                     void *buf, size_t size);
EPI_API ptrdiff_t epi_datagram_write_header(const epi_datagram *datagram,
                                            int version, void *buf,
                                            size_t size);

#ifdef __cplusplus
}
#endif

#endif
