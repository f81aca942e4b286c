"""capture.py: the TCP packets that a network namespace sends and receives.

    seen = capture.Capture(namespace)
    ...
    syn = seen.syn(port)           # the first SYN to this port
    assert syn.ttl == 64 and syn.data == b"" """
import collections
import ipaddress
import os
import select
import socket
import struct
import threading

from support import flow

_ETH_P_ALL = 3
_SO_RCVBUFFORCE, _WAITING = 33, 64 << 20  # a flood pushes nothing out
SYN, ACK, RST = 2, 16, 4

Packet = collections.namedtuple(
    "Packet", "source dest from_port port flags tos ttl whole options data")


def _parse(data):
    """A packet of TCP, or None; `whole` is 1 if it must not be fragmented."""
    if data[0] >> 4 == 4:
        if data[9] != socket.IPPROTO_TCP:
            return None
        size = struct.unpack(">H", data[2:4])[0]
        head = (data[0] & 15) * 4
        source, dest = data[12:16], data[16:20]
        tos, ttl, whole = data[1], data[8], data[6] >> 6 & 1
    elif data[0] >> 4 == 6:
        if data[6] != socket.IPPROTO_TCP:
            return None
        head, whole = 40, 1
        size = head + struct.unpack(">H", data[4:6])[0]
        source, dest = data[8:24], data[24:40]
        tos, ttl = struct.unpack(">H", data[:2])[0] >> 4 & 255, data[7]
    else:
        return None
    tcp = data[head:size]
    from_port, port = struct.unpack(">HH", tcp[:4])
    offset = (tcp[12] >> 4) * 4
    return Packet(str(ipaddress.ip_address(source)),
                  str(ipaddress.ip_address(dest)), from_port, port, tcp[13],
                  tos, ttl, whole, tcp[20:offset], tcp[offset:])


class Capture:
    def __init__(self, namespace):
        flow.need_root()
        self.packets = []
        with namespace.inside():
            try:
                self._socket = socket.socket(
                    socket.AF_PACKET, socket.SOCK_DGRAM,
                    socket.htons(_ETH_P_ALL))
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE,
                                        _WAITING)
            except OSError as error:
                flow.skip(f"no packets can be captured here: {error}")
        self._over = os.eventfd(0)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        flow.at_end(self._end)

    def _read(self):
        while True:
            ready, _, _ = select.select([self._socket, self._over], [], [])
            if self._over in ready:
                return
            packet = _parse(self._socket.recv(65536))
            if packet:
                self.packets.append(packet)

    def _end(self):
        """The thread goes first: it would read what has its number next."""
        os.eventfd_write(self._over, 1)
        self._thread.join()
        os.close(self._over)
        self._socket.close()

    def syns(self, port):
        """The SYNs to a port so far."""
        return [packet for packet in list(self.packets)
                if packet.port == port and packet.flags & (SYN | ACK) == SYN]

    def syn(self, port):
        """Wait for the first SYN to a port."""
        return flow.until(lambda: self.syns(port), f"a SYN to {port}")[0]
