"""steady_load.py: connections without an end, of which none may fail."""
import socket
import threading

from support import flow
from support import socks_client as wire


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


class Load:
    """Short connections, one after another in each of some threads, that
    connect(host, port) makes; it ends with the test."""

    def __init__(self, host, port, threads=3, connect=None):
        self.done, self.failed, self.over = 0, [], False
        self.host, self.port = host, port
        self.connect = connect or (
            lambda: socket.create_connection((host, port), 10))
        self.threads = [threading.Thread(target=self._run)
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()
        flow.at_end(self.stop)

    def _run(self):
        while not self.over and not self.failed:
            try:
                with self.connect() as sock:
                    there_and_back(sock)
                self.done += 1
            except (OSError, EOFError, AssertionError) as error:
                self.failed.append(error)

    def go_on(self, count=60):
        """Wait for so many more of them."""
        end = self.done + count
        flow.until(lambda: self.failed or self.done >= end, "the load goes on",
                   20)
        assert not self.failed, self.failed

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join()
