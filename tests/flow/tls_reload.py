#!/usr/bin/env python3
"""tls_reload.py: certificates, keys and lists change while a proxy runs."""
import os
import pathlib
import shutil
import signal
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import flow, servers
from support import socks_client as wire
from support.certificates import Authority

NAME = "proxy.example"
IN_FORCE = r"TLS: what is in \S+ now counts"


class Place:
    """Files of a certificate that is replaced, and a proxy that has it."""

    def __init__(self, more="", options=()):
        self.authority = Authority()
        self.where = flow.folder()
        self.cert, self.key = self.where / "cert.pem", self.where / "key.pem"
        self.first = self.issue()
        shutil.copy(self.first.cert, self.cert)
        shutil.copy(self.first.key, self.key)
        self.echo = servers.Echo()
        self.proxy = flow.proxy(*options, listen=[
            f"tcp+tls://127.0.0.1:0=127.0.0.1:{self.echo.port}"
            f"?cert={self.cert}&key={self.key}" + more.format(self)])

    def issue(self, name=NAME):
        return self.authority.issue(name, f"DNS:{name}")

    def dial(self, own=None):
        context = self.authority.client(own)
        context.check_hostname = False
        sock = context.wrap_socket(wire.connect(self.proxy.port),
                                   server_hostname=NAME)
        flow.at_end(sock.close)
        return sock

    def serial(self):
        """The number of the certificate that is shown now."""
        sock = self.dial()
        there_and_back(sock)
        return sock.getpeercert()["serialNumber"]

    def replace(self, certificate):
        """Both, by renames, the way in which writers should do it."""
        for source, target in ((certificate.cert, self.cert),
                               (certificate.key, self.key)):
            new = target.with_suffix(".new")
            shutil.copy(source, new)
            os.replace(new, target)

    def becomes(self, old):
        return flow.until(lambda: self.serial() != old and self.serial(),
                          "another certificate")


def there_and_back(sock, data=b"there and back"):
    sock.sendall(data)
    assert wire.read(sock, len(data)) == data


def fails(connect):
    try:
        sock = connect()
        sock.sendall(b"?")
        return not sock.recv(1)
    except (ssl.SSLError, ConnectionError):
        return True


@flow.test
def a_client_with_another_authority_is_named_as_such():
    """OpenSSL's clients say it in plain text by TLS 1.3."""
    place = Place()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = Authority().client()
        context.minimum_version = context.maximum_version = version
        try:
            context.wrap_socket(wire.connect(place.proxy.port),
                                server_hostname=NAME).close()
        except ssl.SSLCertVerificationError:
            continue
        raise AssertionError("the client believes the certificate")
    for number in (1, 2):
        place.proxy.wait_line(f"flow {number} from .*our certificate is by an"
                              " authority that it does not know")


@flow.test
def a_renamed_certificate_counts_and_flows_go_on():
    place = Place()
    running = place.dial()
    there_and_back(running)
    before = place.serial()
    place.replace(place.issue())
    place.becomes(before)
    place.proxy.wait_line(IN_FORCE)
    there_and_back(running)


@flow.test
def a_certificate_written_in_place_counts():
    place = Place()
    before = place.serial()
    new = place.issue()
    place.cert.write_bytes(new.cert.read_bytes())
    place.key.write_bytes(new.key.read_bytes())
    place.becomes(before)


@flow.test
def a_swapped_link_counts():
    """As Kubernetes has it: files are links into a folder that is a link."""
    place = Place()
    base = flow.folder()
    for number, made in enumerate((place.first, place.issue())):
        folder = base / str(number)
        folder.mkdir()
        shutil.copy(made.cert, folder / "tls.crt")
        shutil.copy(made.key, folder / "tls.key")
    (base / "data").symlink_to("0")
    for name in ("tls.crt", "tls.key"):
        (base / name).symlink_to(f"data/{name}")
    proxy = flow.proxy(listen=[
        f"tcp+tls://127.0.0.1:0=127.0.0.1:{place.echo.port}"
        f"?cert={base}/tls.crt&key={base}/tls.key"])
    place.proxy = proxy
    before = place.serial()
    (base / "new").symlink_to("1")
    os.replace(base / "new", base / "data")
    place.becomes(before)


@flow.test
def bad_files_change_nothing_and_are_told_once():
    place = Place()
    before = place.serial()
    bad = place.cert.with_suffix(".new")
    bad.write_text("no certificate")
    os.replace(bad, place.cert)
    place.proxy.wait_line(r"TLS: \S+cert\.pem: the files as they were go on")
    assert place.serial() == before
    place.proxy.signal(signal.SIGHUP)
    flow.until(lambda: len(_told(place)) == 2, "asked again, it says so again")
    assert place.serial() == before
    place.replace(place.issue())
    place.becomes(before)
    assert len(_told(place)) <= 3, _told(place)


def _told(place):
    return [line for line in place.proxy.lines if "as they were go on" in line]


@flow.test
def a_key_that_everybody_can_read_is_not_taken():
    place = Place()
    before = place.serial()
    new = place.issue()
    new.key.chmod(0o644)
    place.replace(new)
    place.proxy.wait_line(r"as they were go on: .*chmod")
    assert place.serial() == before


@flow.test
def what_only_looks_new_is_not_new():
    place = Place()
    os.utime(place.cert)
    os.utime(place.key)
    other = Place()
    before = other.serial()
    other.replace(other.issue())
    other.becomes(before)
    assert "now counts" not in place.proxy.text


@flow.test
def who_is_revoked_is_not_let_in_from_then_on():
    authority = Authority()
    own = authority.issue(NAME, f"DNS:{NAME}")
    client = authority.issue("client")
    authority.revoke()
    echo = servers.Echo()
    proxy = flow.proxy(listen=[
        f"tcp+tls://127.0.0.1:0=127.0.0.1:{echo.port}?{own.query}"
        f"&client=require&ca={authority.cert}&crl={authority.crl}"])

    def dial():
        sock = authority.client(client).wrap_socket(
            wire.connect(proxy.port), server_hostname=NAME)
        flow.at_end(sock.close)
        return sock

    running = dial()
    there_and_back(running)
    authority.revoke(client)
    proxy.wait_line(IN_FORCE)
    assert fails(dial)
    there_and_back(running)


@flow.test
def hops_are_checked_by_authorities_that_change():
    old, new = Authority("Old"), Authority("New")
    far_cert = new.issue("far", "IP:127.0.0.1")
    ca = flow.folder() / "ca.pem"
    shutil.copy(old.cert, ca)
    echo = servers.Echo()
    far = flow.proxy(listen=[f"socks+tls://127.0.0.1:0?{far_cert.query}"])
    near = flow.proxy(
        "--tls-ca", ca, "--warm", "0", "--chain",
        f"socks6+tls://127.0.0.1:{far.port}",
        listen=[f"tcp://127.0.0.1:0=127.0.0.1:{echo.port}"])
    assert wire.turned_away(near.port)
    near.wait_line("authority")
    shutil.copy(new.cert, ca)
    near.wait_line(IN_FORCE)
    there_and_back(wire.connect(near.port))


flow.main()
