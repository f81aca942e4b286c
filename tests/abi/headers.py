#!/usr/bin/env python3
"""headers.py: each public header stands alone, in C11 and in C++11, and says
nothing that another language could not say."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import public
from support.verdict import ROOT, check, end

COMPILERS = [("gcc", "c", "c11"), ("clang", "c", "c11"),
             ("g++", "c++", "c++11"), ("clang++", "c++", "c++11")]
BANNED = re.compile(r"\b(_?[Bb]ool|enum|long|ssize_t|inline|union|va_list"
                    r"|time_t|off_t)\b|\.\.\.")
STRUCT = re.compile(r"\bstruct\s+(\w*)\s*\{")
MACRO = re.compile(r"#\s*define\s+(\w+)\(")


def alone():
    problems = []
    for path in public.headers():
        for compiler, language, standard in COMPILERS:
            ran = subprocess.run(
                [compiler, "-x", language, "-std=" + standard, "-Wall",
                 "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                 "-I", ROOT / "include", "-"],
                input=f'#include "epi/{path.name}"\n#include '
                      f'"epi/{path.name}"\n',
                capture_output=True, text=True)
            if ran.returncode:
                problems.append(f"{path.name} with {compiler}: {ran.stderr}")
    return problems


def umbrella():
    text = ROOT.joinpath("include", "epi", "epi.h").read_text()
    return [f"epi.h does not include {path.name}" for path in public.headers()
            if path.name != "epi.h" and f'"{path.name}"' not in text]


def bindable():
    problems = []
    for path in public.headers():
        text = public.without_directives(path)
        for word in BANNED.finditer(text):
            problems.append(f"{path.name} says {word[0]}")
        for name in STRUCT.findall(text):
            if name != "epi_addr":
                problems.append(f"{path.name} shows struct {name}")
        for line in public.directives(path):
            macro = MACRO.match(line)
            if macro and macro[1] != "EPI_ERRORS":
                problems.append(f"{path.name} has a macro like a function,"
                                f" {macro[1]}")
    return problems


def documented():
    """Each paragraph of declarations starts with a comment."""
    problems = []
    for path in public.headers():
        # A blank line inside a comment does not end a paragraph.
        text = public.COMMENT.sub(lambda m: m[0].replace("\n\n", "\n"),
                                  path.read_text())
        for paragraph in re.split(r"\n\s*\n", text):
            names = public.DECLARED.findall(paragraph)
            if names and "/*" not in paragraph.split("EPI_API")[0]:
                problems.append(f"{path.name}: {names[0]} has no comment")
    return problems


def main():
    check("headers.each_stands_alone", alone())
    check("headers.epi_h_has_all", umbrella())
    check("headers.other_languages_can_say_it", bindable())
    check("headers.every_function_has_a_comment", documented())
    end()


main()
