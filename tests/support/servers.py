"""servers.py: servers inside the process of a flow test.

Each starts with its constructor, on a free port of 127.0.0.1 unless told
otherwise, and ends with the test that made it. Such a port is none that the
kernel gives to a connection: the server may be gone for a while, and no client
has the same one."""
import contextlib
import hashlib
import http.server
import socket
import socketserver
import threading
import time

from support import flow


def body(size):
    """The same `size` bytes each time; no two blocks of 64 KiB are alike."""
    block = hashlib.sha256(b"libepi").digest() * 2048
    parts = []
    for number in range(-(-size // len(block))):
        parts.append(number.to_bytes(8, "big") + block[8:])
    return b"".join(parts)[:size]


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """A client that goes away is not this server's failure."""


class Server:
    """A TCP server that calls serve(socket) in a thread per connection. One
    that stands for a hop sets `unused` to False: what brings nothing is not
    counted then, and not served, for proxies keep connections ready."""
    unused = True

    def __init__(self, host=flow.LOCAL, port=0):
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                if outer.unused or outer.brings_something(self.request):
                    outer.connections += 1
                    outer.serve(self.request)

        self.connections = 0
        self._run(Handler, host, port)

    def _run(self, handler, host, port):
        server = self

        class Threads(_Threads):
            address_family = (socket.AF_INET6 if ":" in host
                              else socket.AF_INET)

            def process_request(self, request, client_address):
                server.accepted(request)
                super().process_request(request, client_address)

        self._server = Threads((host, port or flow.free_port(host)), handler)
        self._started()

    def _started(self):
        self.host, self.port = self._server.server_address[:2]
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()
        flow.at_end(self.close)

    @staticmethod
    def brings_something(sock):
        with contextlib.suppress(OSError):
            return sock.recv(1, socket.MSG_PEEK)
        return b""

    def take_fast(self):
        """Take data out of the SYN: TCP Fast Open."""
        self._server.socket.setsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_FASTOPEN, 16)

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def accepted(self, sock):
        """Called in the order in which they come, which threads do not keep."""

    def serve(self, sock):
        raise NotImplementedError


class Echo(Server):
    """Gives back what it gets; ends when the client has ended."""

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)


class AfterEnd(Server):
    """Waits for the end of what the client sends, then answers with `size`
    bytes of body(): an answer that only a half-closed flow can carry."""

    def __init__(self, size, **where):
        self.size = size
        self.got = b""
        super().__init__(**where)

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                self.got += data
            sock.sendall(body(self.size))


class Tap(Server):
    """Passes connections on to a port, and counts them; `sent` holds the
    first bytes that came with each, as far as they came at once."""
    unused = False

    def __init__(self, port, **where):
        self.to = port
        self.sent = []
        super().__init__(**where)

    def serve(self, sock):
        with socket.create_connection((flow.LOCAL, self.to)) as onward:
            time.sleep(0.05)
            first = sock.recv(65536)
            self.sent.append(first)
            onward.sendall(first)
            back = threading.Thread(target=self._copy, args=(onward, sock),
                                    daemon=True)
            back.start()
            self._copy(sock, onward)
            back.join()

    @staticmethod
    def _copy(source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)


class Origin(Server):
    """A web server, HTTP/1.1 with keep-alive:

    GET /size/N     N bytes of body()
    GET /slow/MS    "slow", after MS milliseconds, byte by byte
    GET /close      "closed", and the end of the connection
    GET /peer       the address that the request came from
    POST /echo      what was posted
    POST /digest    the SHA-256 of what was posted
    others          "hello" """

    def __init__(self, host=flow.LOCAL, port=0):
        self.connections = 0
        self.requests = []
        self._run(self._handler(), host, port)

    def _handler(self):
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                origin.connections += 1
                super().setup()

            def log_message(self, *_):
                """Say nothing: standard output is the test's."""

            def answer(self, data, pieces=1, pause=0.0):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                step = max(1, len(data) // pieces)
                for at in range(0, len(data), step):
                    time.sleep(pause)
                    self.wfile.write(data[at:at + step])

            def do_GET(self):
                origin.requests.append(self.path)
                what, _, value = self.path[1:].partition("/")
                if what == "size":
                    self.answer(body(int(value)))
                elif what == "slow":
                    self.answer(b"slow", 4, int(value) / 4000)
                elif what == "close":
                    self.close_connection = True
                    self.answer(b"closed")
                elif what == "peer":
                    self.answer(self.client_address[0].encode())
                else:
                    self.answer(b"hello")

            def do_POST(self):
                origin.requests.append(self.path)
                left = int(self.headers.get("Content-Length", 0))
                posted, digest = [], hashlib.sha256()
                while left and (data := self.rfile.read(min(left, 65536))):
                    left -= len(data)
                    digest.update(data)
                    if self.path == "/echo":
                        posted.append(data)
                self.answer(b"".join(posted) if self.path == "/echo"
                            else digest.hexdigest().encode())

        return Handler

    def url(self, path="/", host=None):
        host = host or self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}" \
               + path
