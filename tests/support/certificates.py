"""certificates.py: an authority for the tests of TLS, by openssl(1).

    authority = certificates.Authority()
    good = authority.issue("proxy.example", "DNS:proxy.example,IP:127.0.0.1")
    authority.cert, good.cert, good.key

All files end with the test; those with keys are their owner's alone."""
import ssl

from support import flow

CONFIG = """
[ca]
default_ca = own
[own]
database = {where}/index
serial = {where}/serial
new_certs_dir = {where}
certificate = {where}/ca.pem
private_key = {where}/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


class Certificate:
    """A certificate and its key: paths."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    @property
    def query(self):
        """As settings of a URL."""
        return f"cert={self.cert}&key={self.key}"


class Authority:
    def __init__(self, name="Test authority"):
        self.where = flow.folder()
        self.cert, self.crl = self.where / "ca.pem", self.where / "crl.pem"
        self._key = self.where / "ca.key"
        self._config = self.where / "config"
        self._config.write_text(CONFIG.format(where=self.where))
        (self.where / "index").touch()
        (self.where / "serial").write_text("1000\n")
        self._count = 0
        self._new_key(self._key)
        self._openssl("req", "-x509", "-key", self._key, "-subj", f"/CN={name}",
                      "-days", "60", "-config", self._config, "-extensions",
                      "authority", "-out", self.cert)

    def _openssl(self, *arguments):
        ran = flow.run(flow.need("openssl"), *arguments)
        assert ran.returncode == 0, ran.stderr

    def _new_key(self, path):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-out", path)
        path.chmod(0o600)

    def issue(self, name, alternative="", start="", end=""):
        """A certificate for a common name and alternative names; start and
        end are times as 20200101000000Z."""
        self._count += 1
        key = self.where / f"{self._count}.key"
        cert = self.where / f"{self._count}.pem"
        asked, extra = self.where / "asked", self.where / "extra"
        self._new_key(key)
        self._openssl("req", "-new", "-key", key, "-subj", f"/CN={name}",
                      "-config", self._config, "-out", asked)
        extra.write_text("[more]\nbasicConstraints = CA:FALSE\n" +
                         (f"subjectAltName = {alternative}\n" if alternative
                          else ""))
        times = (["-startdate", start] if start else []) + (
            ["-enddate", end] if end else [])
        self._openssl("ca", "-batch", "-notext", "-config", self._config,
                      "-extfile", extra, "-extensions", "more", *times, "-in",
                      asked, "-out", cert)
        return Certificate(cert, key)

    def expired(self, name, alternative=""):
        return self.issue(name, alternative, "20200101000000Z",
                          "20200201000000Z")

    def revoke(self, *certificates):
        """Revoke some, and write the list: its path."""
        for one in certificates:
            self._openssl("ca", "-config", self._config, "-revoke", one.cert)
        self._openssl("ca", "-config", self._config, "-gencrl", "-out",
                      self.crl)
        return self.crl

    def client(self, own=None, alpn=()):
        """A context of Python's ssl that believes this authority."""
        context = ssl.create_default_context(cafile=self.cert)
        if own:
            context.load_cert_chain(own.cert, own.key)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context
