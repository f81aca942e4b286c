"""test_tls.py: engines and clients that speak TLS."""
import shutil
import ssl
import subprocess

import pytest

import epi
from conftest import read_exactly
from epi import errors

ANY = "socks://127.0.0.1:0"


@pytest.fixture
def own(tmp_path):
    """Files of a certificate of 127.0.0.1, which is its own authority, and of
    its key."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=proxy",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
         cert], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def listening(own, **more):
    cert, key = own
    return epi.Engine(workers=1, listen="socks+tls://127.0.0.1:0"
                      f"?cert={cert}&key={key}", **more)


def there_and_back(sock):
    with sock:
        sock.sendall(b"there")
        assert read_exactly(sock, 5) == b"there"


def test_a_client_of_python(echo, own):
    with listening(own) as engine:
        there_and_back(epi.connect(
            echo.address, f"socks6+tls://{engine.addresses[0]}",
            ssl_context=ssl.create_default_context(cafile=own[0])))
        with pytest.raises(ssl.SSLError):  # nobody vouches for it
            epi.connect(echo.address, f"socks6+tls://{engine.addresses[0]}")


def test_an_engine_as_the_client(echo, own):
    with listening(own) as far:
        near = epi.Engine(workers=1)
        near.set_tls("ca", str(own[0]))
        near.add_hop(f"socks6+tls://{far.addresses[0]}")
        near.listen(ANY)
        with near:
            there_and_back(epi.connect(
                echo.address, f"socks6://{near.addresses[0]}"))
            assert far.counts.allowed == 1
            with pytest.raises(errors.InvalidState):
                near.set_tls("ca", None)


def test_what_is_no_setting():
    engine = epi.Engine(listen=ANY)
    for name in ("colour", "client", ""):
        with pytest.raises(errors.InvalidArgument):
            engine.set_tls(name, "x")


def test_files_are_read_again(own):
    cert, key = own
    with listening(own) as engine:
        assert engine.reload_tls() == 0
        assert engine.reload_tls(all=True) == 0
        good = cert.read_text()
        cert.write_text("no certificate")
        with pytest.raises(epi.Error):
            engine.reload_tls()
        assert engine.reload_tls() == 0, "it was told once"
        cert.write_text(good + "\n")
        assert engine.reload_tls() == 1
