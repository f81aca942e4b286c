/* delay_queue.c: NFQUEUE's messages: linux/netfilter/nfnetlink_queue.h. */
#include "delay_queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST_QUEUE 65536
#define RECEIVE_ROOM  (32 * 1024 * 1024)

/* A message in the making; every attribute here is a multiple of 4 bytes. */
typedef struct delay_message {
  struct nlmsghdr header;
  struct nfgenmsg about;
  unsigned char attributes[64];
} delay_message;

static delay_message message_for(unsigned kind, uint16_t queue,
                                 unsigned flags) {
  delay_message message = {
      .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg)),
                 .nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | kind),
                 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
      .about = {.version = NFNETLINK_V0, .res_id = htons(queue)},
  };

  return message;
}

static void put(delay_message *message, uint16_t type, const void *data,
                size_t len) {
  const size_t fixed = NLMSG_LENGTH(sizeof(struct nfgenmsg));
  struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + len),
                             .nla_type = type};
  unsigned char *at = message->attributes + message->header.nlmsg_len - fixed;

  memcpy(at, &attribute, sizeof attribute);
  memcpy(at + NLA_HDRLEN, data, len);
  message->header.nlmsg_len += NLA_HDRLEN + (uint32_t)NLA_ALIGN(len);
}

static int transmit(int fd, const delay_message *message) {
  return send(fd, message, message->header.nlmsg_len, 0) < 0 ? -1 : 0;
}

/* Send what the kernel acknowledges; its answer. */
static int ask(int fd, const delay_message *message) {
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
  } answer;
  ssize_t n;

  if (transmit(fd, message)) {
    return -1;
  }
  n = recv(fd, &answer, sizeof answer, 0);
  if (n < 0) {
    return -1;
  }
  if ((size_t)n < sizeof answer || answer.header.nlmsg_type != NLMSG_ERROR) {
    errno = EPROTO;
    return -1;
  }
  errno = -answer.error.error;
  return errno ? -1 : 0;
}

int delay_open(void) {
  const int room = RECEIVE_ROOM, on = 1;
  struct sockaddr_nl at = {.nl_family = AF_NETLINK};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

  if (fd < 0) {
    return -1;
  }
  if (bind(fd, (const struct sockaddr *)&at, sizeof at) ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) ||
      setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on)) {
    close(fd);
    return -1;
  }
  return fd;
}

int delay_bind(int fd, uint16_t queue) {
  const struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND};
  const struct nfqnl_msg_config_params parameters = {
      .copy_range = htonl(0), .copy_mode = NFQNL_COPY_META};
  const uint32_t longest = htonl(LONGEST_QUEUE);
  const uint32_t flags = htonl(NFQA_CFG_F_GSO);
  delay_message message = message_for(NFQNL_MSG_CONFIG, queue, NLM_F_ACK);

  put(&message, NFQA_CFG_CMD, &command, sizeof command);
  if (ask(fd, &message)) {
    return -1;
  }
  message = message_for(NFQNL_MSG_CONFIG, queue, NLM_F_ACK);
  /* 5 bytes, packed: the attribute is padded to 8. */
  put(&message, NFQA_CFG_PARAMS, &parameters, sizeof parameters);
  put(&message, NFQA_CFG_QUEUE_MAXLEN, &longest, sizeof longest);
  put(&message, NFQA_CFG_FLAGS, &flags, sizeof flags);
  put(&message, NFQA_CFG_MASK, &flags, sizeof flags);
  return ask(fd, &message);
}

/* The packet's header is one of the attributes of its message. */
static int packet_id(const struct nlmsghdr *header, uint32_t *out) {
  const unsigned char *at =
      (const unsigned char *)header + NLMSG_LENGTH(sizeof(struct nfgenmsg));
  const unsigned char *end = (const unsigned char *)header + header->nlmsg_len;
  struct nfqnl_msg_packet_hdr packet;
  struct nlattr attribute;

  while (end - at >= NLA_HDRLEN) {
    memcpy(&attribute, at, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > end - at) {
      return -1;
    }
    if ((attribute.nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR &&
        attribute.nla_len >= NLA_HDRLEN + sizeof packet) {
      memcpy(&packet, at + NLA_HDRLEN, sizeof packet);
      *out = ntohl(packet.packet_id);
      return 0;
    }
    if (NLA_ALIGN(attribute.nla_len) > end - at) {
      return -1;
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  return -1;
}

int delay_read(int fd, void (*taken)(uint16_t queue, uint32_t id, void *user),
               void *user) {
  static union {
    struct nlmsghdr first;
    unsigned char bytes[16384];
  } room;

  for (;;) {
    ssize_t n = recv(fd, &room, sizeof room, MSG_DONTWAIT);
    size_t left = (size_t)n;

    if (n < 0) {
      return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    for (struct nlmsghdr *at = &room.first; NLMSG_OK(at, left);
         at = NLMSG_NEXT(at, left)) {
      const struct nfgenmsg *about = NLMSG_DATA(at);
      uint32_t id;

      if (at->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) &&
          packet_id(at, &id) == 0) {
        taken(ntohs(about->res_id), id, user);
      }
    }
  }
}

int delay_accept(int fd, uint16_t queue, uint32_t id) {
  const struct nfqnl_msg_verdict_hdr verdict = {.verdict = htonl(NF_ACCEPT),
                                                .id = htonl(id)};
  delay_message message = message_for(NFQNL_MSG_VERDICT_BATCH, queue, 0);

  put(&message, NFQA_VERDICT_HDR, &verdict, sizeof verdict);
  return transmit(fd, &message);
}
