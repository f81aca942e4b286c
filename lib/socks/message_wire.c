/* message_wire.c: requests and replies to and from bytes, by version. */
#include "base/fail.h"
#include "socks/wire.h"

static int check_version(int version) {
  if (version != EPI_SOCKS5 && version != EPI_SOCKS6 &&
      version != EPI_SOCKS6_12 && version != EPI_SOCKSX) {
    return epi__fail(EPI_EINVAL, "no version of SOCKS is %d", version);
  }
  return 0;
}

int epi__version_has_command(int version, int command) {
  int first =
      version == EPI_SOCKS5 || version == EPI_SOCKSX ? EPI_CONNECT : EPI_NOOP;
  int last = version == EPI_SOCKSX ? EPI_CONNECT : EPI_UDP_ASSOCIATE;

  return command >= first && command <= last;
}

ptrdiff_t epi_request_read(epi_request *out, int version, const void *buf,
                           size_t len) {
  epi_request request = {0};
  ptrdiff_t used;

  if (check_version(version)) {
    return EPI_EINVAL;
  }
  used = version == EPI_SOCKS5
             ? epi__socks5_request_read(&request, buf, len)
             : epi__socks6_request_read(&request, version, buf, len);
  if (used <= 0) {
    return used;
  }
  if (!epi__version_has_command(version, request.command)) {
    used = epi__fail(EPI_EPROTO, "request has command %d", request.command);
    epi__request_clear(&request);
    return used;
  }
  epi__request_move(out, &request);
  return used;
}

ptrdiff_t epi_request_write(const epi_request *request, int version, void *buf,
                            size_t size) {
  epi__writer out = epi__writer_over(buf, size);
  int error = check_version(version);

  if (error) {
    return error;
  }
  error = version == EPI_SOCKS5
              ? epi__socks5_request_write(&out, request)
              : epi__socks6_request_write(&out, version, request);
  return error ? error : epi__writer_end(&out);
}

ptrdiff_t epi_reply_read(epi_reply *out, int version, const void *buf,
                         size_t len) {
  if (check_version(version)) {
    return EPI_EINVAL;
  }
  return version == EPI_SOCKS5 ? epi__socks5_reply_read(out, buf, len)
                               : epi__socks6_reply_read(out, version, buf, len);
}

ptrdiff_t epi_reply_write(const epi_reply *reply, int version, void *buf,
                          size_t size) {
  epi__writer out = epi__writer_over(buf, size);
  int error = check_version(version);

  if (error) {
    return error;
  }
  if (version == EPI_SOCKS5) {
    epi__socks5_reply_write(&out, reply);
  } else {
    error = epi__socks6_reply_write(&out, version, reply);
  }
  return error ? error : epi__writer_end(&out);
}

static int check_auth_version(int version) {
  if (version == EPI_SOCKS5) {
    return epi__fail(EPI_EINVAL, "SOCKS 5 has no authentication reply");
  }
  return check_version(version);
}

ptrdiff_t epi_auth_reply_read(epi_auth_reply *out, int version, const void *buf,
                              size_t len) {
  if (check_auth_version(version)) {
    return EPI_EINVAL;
  }
  return epi__socks6_auth_reply_read(out, version, buf, len);
}

ptrdiff_t epi_auth_reply_write(const epi_auth_reply *reply, int version,
                               void *buf, size_t size) {
  epi__writer out = epi__writer_over(buf, size);
  int error = check_auth_version(version);

  if (!error) {
    error = epi__socks6_auth_reply_write(&out, version, reply);
  }
  return error ? error : epi__writer_end(&out);
}
