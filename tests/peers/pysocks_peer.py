"""pysocks_peer.py: PySocks as a client of a proxy.

    pysocks_peer.py tcp|udp PROXY-PORT HOST PORT [USER PASSWORD]

tcp: send what comes on standard input, end, and print the answer. udp: send
each line as a datagram, and print what comes back to it."""
import socket
import sys

import socks

kind, proxy, host, port, *login = sys.argv[1:]
user, password = login or (None, None)
sock = socks.socksocket(
    socket.AF_INET,
    socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
sock.set_proxy(socks.SOCKS5, "127.0.0.1", int(proxy), True, user, password)
sock.settimeout(15)
if kind == "udp":
    for line in sys.stdin:
        sock.sendto(line.strip().encode(), (host, int(port)))
        answer, source = sock.recvfrom(65535)
        print(answer.decode(), "from", source[0], source[1])
else:
    sock.connect((host, int(port)))
    sock.sendall(sys.stdin.buffer.read())
    sock.shutdown(socket.SHUT_WR)
    while data := sock.recv(65536):
        sys.stdout.buffer.write(data)
