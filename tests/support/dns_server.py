"""dns_server.py: a name server for flow tests, and programs that use it.

    dns = dns_server.Server({"a.example": ["127.0.0.1", "::1"]})
    proxy = dns.proxy()            # an epi-proxy that asks this server

Names of records are lower case. A name in `silent` is never answered, one in
`garbage` with bytes that mean nothing; others do not exist. A name of `records`
without addresses is there and has none. One of `lies` is answered by a lie: of
another question ("id"), about another name ("name"), by a name that leads to
itself ("loop"), or cut off without the way to ask again ("cut"). Questions of
`silent_kinds`, A or AAAA, are never answered, and the first one of the kind
`drop_first` is not."""
import contextlib
import ipaddress
import itertools
import os
import socket
import struct
import threading
import time

from support import flow

A, AAAA = 1, 28
_number = itertools.count(1)


class Server:
    def __init__(self, records, silent=(), garbage=(), silent_kinds=(), ttl=0,
                 lies=()):
        flow.need_root()
        flow.need("unshare", "mount")
        self.records, self.silent, self.garbage = records, silent, garbage
        self.silent_kinds, self.ttl = silent_kinds, ttl
        self.drop_first, self.lies = None, dict(lies)
        self.gate = threading.Event()  # answers wait while it is cleared
        self.gate.set()
        self.asked = []  # but for what was asked again: the answer was late
        self._first = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # An address of our own: port 53 may be taken on others.
        self.host = f"127.53.{os.getpid() % 250 + 1}.{next(_number)}"
        try:
            self._socket.bind((self.host, 53))
        except OSError as error:
            flow.skip(f"no name server here: {error}")
        self._resolv = flow.file(f"nameserver {self.host}\n", "resolv.conf")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        flow.at_end(self._end)

    def _end(self):
        """The thread ends before its socket is closed: a call that waits may
        begin anew, on whatever has the same number by then."""
        self.gate.set()
        with contextlib.suppress(OSError):  # it is not connected
            self._socket.shutdown(socket.SHUT_RD)
        self._thread.join(10)
        self._socket.close()

    def proxy(self, *options, **more):
        """Start an epi-proxy whose /etc/resolv.conf names this server."""
        return flow.proxy(*options, prefix=[
            "unshare", "--mount", "sh", "-c",
            f"mount --bind {self._resolv} /etc/resolv.conf && exec \"$@\"",
            "sh"], **more)

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:  # the end
                return
            answer = self._answer(query, client)
            self.gate.wait(10)
            if answer:
                self._socket.sendto(answer, client)

    @staticmethod
    def _lie(lie, query, at, kind):
        """An address of LOCAL for A alone, but not as an answer has it."""
        question, owner = query[12:at + 5], b"\xc0\x0c"
        number, bits, count = query[:2], 0x8180, int(kind == A)
        data = struct.pack(">HHIH", A, 1, 60, 4) + b"\x7f\0\0\1"
        if lie == "id":
            number = bytes(byte ^ 0x55 for byte in number)
        elif lie == "name":
            question = b"\5other\7example\0" + question[-4:]
        elif lie == "loop":
            count, data = 1, struct.pack(">HHIH", 5, 1, 60, 2) + owner
        elif lie == "cut":
            bits, count = 0x8380, 0
        return number + struct.pack(">HHHHH", bits, 1, count, 0, 0) + question + (
            (owner + data) if count else b"")

    def _is_new(self, query, client):
        """One that is asked again comes from the same port, with the same
        number, seconds later."""
        now = time.monotonic()
        return now - self._first.setdefault((query, client), now) < 1

    def _answer(self, query, client):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        if self._is_new(query, client):
            self.asked.append((name, kind))
        if name in self.silent or kind in self.silent_kinds:
            return b""
        if kind == self.drop_first:
            self.drop_first = None
            return b""
        if name in self.garbage:
            return query[:2] + b"\x81\x80" + b"\xff" * 40
        if name in self.lies:
            return self._lie(self.lies[name], query, at, kind)
        known = name in self.records
        addresses = [ipaddress.ip_address(text)
                     for text in self.records.get(name, ())]
        chosen = [address for address in addresses
                  if (A if address.version == 4 else AAAA) == kind]
        answer = query[:2] + struct.pack(
            ">HHHHH", 0x8180 if known else 0x8183, 1, len(chosen), 0, 0)
        answer += query[12:at + 5]
        for address in chosen:
            answer += b"\xc0\x0c" + struct.pack(
                ">HHIH", kind, 1, self.ttl, len(address.packed)) + address.packed
        return answer
