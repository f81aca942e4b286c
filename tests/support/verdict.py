"""verdict.py: what every check and flow test prints, a line for each test:

    ok NAME
    not ok NAME: why
    skip NAME: why

and further lines of a long explanation behind it, indented. tests/run counts
these lines."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

failed = 0


def _print(word, name, why=""):
    first, *rest = str(why).strip().splitlines() or [""]
    print(f"{word} {name}{': ' if first else ''}{first}")
    for line in rest:
        print("    " + line)
    sys.stdout.flush()


def ok(name):
    _print("ok", name)


def not_ok(name, why):
    global failed
    failed += 1
    _print("not ok", name, why)


def skip(name, why):
    _print("skip", name, why)


def check(name, problems):
    """Fail with the list of problems, or pass if there are none."""
    if problems:
        more = [f"and {len(problems) - 40} more"] if len(problems) > 40 else []
        not_ok(name, "\n".join([*problems[:40], *more]))
    else:
        ok(name)


def end():
    """Leave with the exit code that fits."""
    sys.exit(1 if failed else 0)
