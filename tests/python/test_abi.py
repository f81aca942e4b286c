"""test_abi.py: the package has all of the C API, and the types it says."""
import ctypes
import enum
import re
import subprocess
import sys

import epi
from conftest import ROOT
from epi import _abi, _foreign, errors

PACKAGE = ROOT / "bindings" / "python" / "epi"
# What stands for itself: Address says what kind it is by its type of `ip`, and
# the package's own version is a text.
NOT_SAID = {"EPI_VERSION_MAJOR", "EPI_VERSION_MINOR", "EPI_VERSION_PATCH",
            "EPI_ADDR_IPV4", "EPI_ADDR_IPV6"}


def _declared():
    names = re.findall(r"^(\w+) = ", (PACKAGE / "_abi.py").read_text(), re.M)
    return [name for name in names if name != "ERRORS"]


def test_declarations_are_those_of_the_headers():
    ran = subprocess.run(
        [sys.executable, PACKAGE.parent / "declare", "--check"],
        capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_every_public_function_is_declared():
    import support.verdict  # noqa: F401
    sys.path.insert(0, str(ROOT / "tests" / "abi"))
    import public
    assert sorted(public.functions()) == sorted(
        name for name in _declared() if name.startswith("epi_"))


def test_every_function_and_constant_is_used():
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py")
                   if path.name != "_abi.py")
    missing = [name for name in _declared() if name not in NOT_SAID
               and not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_every_function_is_in_the_library():
    missing = [name for name in _declared() if name.startswith("epi_")
               and getattr(_abi, name).__name__ == "missing"]
    assert not missing


def test_each_error_has_its_exception():
    assert set(errors.CLASSES) == set(_abi.ERRORS)
    for code, meaning in _abi.ERRORS.items():
        kind = errors.CLASSES[code]
        assert kind.meaning == meaning
        assert issubclass(kind, errors.Error)
        made = kind("why")
        assert (made.code, made.detail, str(made)) == (code, "why", "why")
        assert str(kind()) == meaning
        assert _abi.epi_strerror(code).decode() == meaning


def test_the_struct_is_as_large_as_in_c():
    assert ctypes.sizeof(_foreign.Addr) == 4 + 16 + 256


def test_enumerations_have_all_constants():
    """Each constant that an enumeration stands for is in it."""
    families = {"EPI_ENGINE_": epi.Parameter, "EPI_META_": epi.Meta,
                "EPI_STACK_": (epi.Stack, epi.StackValue),
                "EPI_REPLY_": epi.ReplyCode, "EPI_METHOD_": epi.Method,
                "EPI_ADVANTAGE_": epi.Advantage, "EPI_FOR_": epi.For,
                "EPI_NEXT_": epi.Next, "EPI_PAIRS_": epi.Pairs,
                "EPI_LEG_": epi.Leg, "EPI_ACCEPT_": epi.Accept,
                "EPI_TLS_": epi.TlsFeature, "EPI_BACKEND_": epi.Backend,
                "EPI_PROVISION_": epi.ProvisionChange,
                "EPI_LOG_": epi.LogLevel, "EPI_PARITY_": epi.Parity}
    for prefix, kinds in families.items():
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        for name in _declared():
            if name.startswith(prefix):
                value = getattr(_abi, name)
                short = name[len(prefix):]
                assert any(kind.__members__.get(short) == value
                           for kind in kinds), name


def test_all_names_are_exported():
    """For type checkers, too, which look at __all__."""
    names = [name for name, value in vars(epi).items() if name[0] != "_"
             and not isinstance(value, type(sys)) and name != "annotations"]
    assert set(names) - set(epi.__all__) == set()


def test_public_names_have_docstrings():
    missing = []
    for name in epi.__all__:
        thing = getattr(epi, name)
        if isinstance(thing, type) or callable(thing):
            if not (thing.__doc__ or "").strip():
                missing.append(name)
        if isinstance(thing, type) and not issubclass(thing, enum.Enum):
            for key, value in vars(thing).items():
                value = getattr(value, "__func__", value)
                if (not key.startswith("_") and (
                        callable(value) or isinstance(value, property))
                        and not (value.__doc__ or "").strip()):
                    missing.append(f"{name}.{key}")
    assert not missing


def test_an_older_library_says_what_it_lacks():
    try:
        _foreign.quick("epi_from_next_year", None)()
    except epi.errors.NotSupported as error:
        assert "epi_from_next_year" in str(error)
    else:
        raise AssertionError("no error")
