"""build_backend.py: makes the package's wheel (PEP 517, 660).

    pip install ./bindings/python
    pip wheel ./bindings/python

The package is files to be copied, so that is all there is to do. With
EPI_BUNDLE=PATH in the environment, the library at PATH, which begins with a /,
goes into the wheel, for machines without an installed libepi; the libraries that
it stands on (doc/dependencies.md) must be there all the same."""
import base64
import hashlib
import io
import os
import pathlib
import re
import sysconfig
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
NAME = "libepi"
SUMMARY = "Moves data where policy allows it, through what it needs"
LIBRARY = "epi/_lib/libepi.so.0"
KINDS = (".py", ".typed", ".html", ".css", ".js")
TIME = (1980, 1, 1, 0, 0, 0)  # the same sources make the same wheel


def _version():
    text = (HERE / "epi" / "_abi.py").read_text()
    return re.search(r'^EPI_VERSION_STRING = "(.+)"', text, re.M)[1]


def _sources():
    # epi/commands/page is a link to examples/page.
    return sorted(path for folder, _, names in os.walk(HERE / "epi",
                                                       followlinks=True)
                  for path in (pathlib.Path(folder, name) for name in names)
                  if path.suffix in KINDS)


def _license():
    for folder in (HERE, HERE.parent.parent):
        if (folder / "LICENSE").exists():
            return (folder / "LICENSE").read_bytes()
    return b""


def _metadata():
    head = ["Metadata-Version: 2.1", f"Name: {NAME}",
            f"Version: {_version()}", f"Summary: {SUMMARY}", "License: MIT",
            "Requires-Python: >=3.9", "Description-Content-Type: text/markdown"]
    return "\n".join([*head, "", (HERE / "README.md").read_text()]).encode()


def _tag():
    if not os.environ.get("EPI_BUNDLE"):
        return "py3-none-any"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"py3-none-{platform}"


def _digest(data):
    digest = hashlib.sha256(data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _write_wheel(folder, files):
    info = f"{NAME}-{_version()}.dist-info"
    pure = str(_tag().endswith("any")).lower()
    files = {**files, f"{info}/METADATA": _metadata(),
             f"{info}/LICENSE": _license(),
             f"{info}/WHEEL": ("Wheel-Version: 1.0\nGenerator: build_backend\n"
                               f"Root-Is-Purelib: {pure}\nTag: {_tag()}\n"
                               ).encode()}
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n"
                     for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    name = f"{NAME}-{_version()}-{_tag()}.whl"
    path = pathlib.Path(folder, name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, data in files.items():
            entry = zipfile.ZipInfo(file, TIME)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


def build_wheel(wheel_directory, config_settings=None,
                metadata_directory=None):
    files = {path.relative_to(HERE).as_posix(): path.read_bytes()
             for path in _sources()}
    bundled = os.environ.get("EPI_BUNDLE")
    if bundled:
        if not os.path.isabs(bundled):
            raise ValueError(f"EPI_BUNDLE={bundled} does not begin with a /,"
                             " and pip builds in a folder of its own")
        files[LIBRARY] = pathlib.Path(bundled).read_bytes()
    return _write_wheel(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None,
                   metadata_directory=None):
    return _write_wheel(wheel_directory, {f"{NAME}.pth":
                                          f"{HERE}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    base = f"{NAME}-{_version()}"
    name = f"{base}.tar.gz"
    files = {path.relative_to(HERE).as_posix(): path.read_bytes()
             for path in [*_sources(), HERE / "pyproject.toml",
                          HERE / "build_backend.py", HERE / "README.md"]}
    files["LICENSE"] = _license()
    files["PKG-INFO"] = _metadata()
    with tarfile.open(pathlib.Path(sdist_directory, name), "w:gz") as archive:
        for file, data in files.items():
            entry = tarfile.TarInfo(f"{base}/{file}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return name
