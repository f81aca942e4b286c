#!/usr/bin/env python3
"""layers.py: each part of lib/ knows only what lies below it.

    L4 engine    L3 tls    L2 os
    L1 area, socks, filter, redirect: none knows another
    L0 base

Foreign libraries have one place each, and the core (L0 and L1) calls nothing
of the system: only the functions listed here."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.verdict import ROOT, check, end, skip

LAYER = {"base": 0, "area": 1, "socks": 1, "filter": 1, "redirect": 1,
         "os": 2, "tls": 3, "engine": 4}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# Where the headers of a foreign library may be included, below lib/.
FOREIGN = {
    r"ev(\+\+)?\.h": r"engine/loop_ev\.c",
    r"ares(_.*)?\.h": r"(engine|os)/resolve\.c",
    r"wolfssl/.*": r"tls/.*",
    r"(cjson/)?cJSON.*\.h": r"base/json_cjson\.c",
    r"nftables/.*": r"os/nft_apply\.c",
    r"microhttpd\.h": r"engine/http_microhttpd\.c",
    r"crypt\.h": r"os/password_crypt\.c",
    r"zstd.*\.h": r"(os|tls|engine)/.*zstd.*\.c",
}

# What the core may call: it depends on its arguments alone. C's math and
# character functions belong here too.
PURE = r"""(
  mem(cpy|move|set|cmp|chr|rchr|mem) | (__)?(v)?snprintf(_chk)?
| str(n?len|n?cmp|n?casecmp|n?cpy|n?cat|chr|rchr|str|pbrk|c?spn|tok_r)
| strto(d|l|ul|ll|ull|imax|umax)
| (__)?(mem(cpy|move|set)|str(cpy|cat|ncpy))_chk | __isoc(99|23)_.*
| qsort | bsearch | l?labs | inet_(pton|ntop) | hton[sl] | ntoh[sl]
| is(al(num|pha)|digit|xdigit|space|upper|lower|print|cntrl) | to(upper|lower)
| (floor|ceil|round|trunc|fmod|fabs|log|log2|log10|exp|pow|sqrt|l?lround|rint
  |nearbyint|frexp|ldexp|fmin|fmax|isfinite|isnan|isinf|__isnan|__isinf
  |__finite)f?
| __ctype_(b|tolower|toupper)_loc | __errno_location | __assert_fail | abort
| __stack_chk_fail | __tls_get_addr | _GLOBAL_OFFSET_TABLE_ | cJSON_\w+
)"""
ALLOCATORS = {"malloc", "calloc", "realloc", "free", "reallocarray",
              "aligned_alloc", "posix_memalign", "strdup", "strndup"}


def sources():
    return sorted(p for p in ROOT.joinpath("lib").rglob("*.[ch]"))


def includes(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return INCLUDE.findall(text)


def layers():
    problems = []
    for path in sources():
        name = path.relative_to(ROOT / "lib")
        module = name.parts[0]
        for kind, target in includes(path):
            # A name without a folder means one beside the file, as in C.
            other = target.split("/")[0] if "/" in target else module
            if module not in LAYER:
                problems.append(f"lib/{name} is in no layer")
                break
            if kind == "<" or other in ("epi", module):
                continue
            if other not in LAYER:
                problems.append(f"lib/{name} includes \"{target}\"")
            elif LAYER[other] >= LAYER[module]:
                problems.append(f"lib/{name} includes \"{target}\":"
                                f" {module} must not know {other}")
    return problems


def foreign():
    problems = []
    for path in sources():
        name = str(path.relative_to(ROOT / "lib"))
        for _, target in includes(path):
            for header, place in FOREIGN.items():
                if (re.fullmatch(header, target)
                        and not re.fullmatch(place, name)):
                    problems.append(f"lib/{name} includes <{target}>")
    return problems


def public_only(folder):
    """Programs and examples stand on the public headers alone."""
    problems = []
    for path in sorted(ROOT.joinpath(folder).rglob("*.[ch]")):
        for _, target in includes(path):
            if target.split("/")[0] in LAYER:
                problems.append(f"{path.relative_to(ROOT)} includes"
                                f" \"{target}\"")
    return problems


def undefined(archive):
    """Each object of an archive and what it does not define itself."""
    listed = subprocess.run(["nm", "-u", archive], check=True,
                            capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        if line.endswith(":"):
            names = found.setdefault(pathlib.Path(line[:-1]).name, set())
        elif line.split():
            names.add(line.split()[-1].split("@")[0])
    return found


def purity(archive):
    pure = re.compile(PURE, re.X)
    problems = []
    for module, names in undefined(archive).items():
        allowed = ALLOCATORS if "memory.c" in module else set()
        for name in sorted(names - allowed):
            if not name.startswith("epi_") and not pure.fullmatch(name):
                problems.append(f"{module} calls {name}")
    return problems


def main():
    check("layers.includes", layers())
    check("layers.foreign_headers", foreign())
    check("layers.examples_know_public_headers", public_only("examples"))
    archive = ROOT / os.environ.get("EPI_BUILD", "build") / "libepi_core.a"
    if archive.exists():
        check("layers.core_is_pure", purity(archive))
    else:
        skip("layers.core_is_pure", f"no {archive.name}: build first")
    end()


main()
