#!/usr/bin/env python3
"""Decides on what `mita reap --dry-run -o json` printed: verdict.py FILE, or on stdin.

Prints a report in Markdown. Exit code 1 where a person is needed: the pass did not end with 0 (something could not be read,
the configuration is unusable, the guard held removals back), or a problem of severity `error` is open. Warnings and planned
removals are listed and fail nothing. Exit code 1, too, where there is no report at all. Standard library of Python 3 only.
"""

import json
import sys


def shown(text):
    """A text from elsewhere on one line, with nothing in it that a terminal or Markdown would act on."""
    line = "".join(char if char.isprintable() else " " for char in str(text))
    for mark in "\\`*_<>[]|#":
        line = line.replace(mark, "\\" + mark)
    return line


def place(error):
    """Where an error of the configuration is."""
    parts = [str(error[key]) for key in ("file", "line", "column") if error.get(key) is not None]
    return ":".join(parts) + ": " if parts else ""


def section(title, lines):
    if lines:
        print(f"## {title}\n")
        for line in lines:
            print(f"- {shown(line)}")
        print()


def verdict(report):
    """Prints the report; returns whether it is good."""
    code = report["exit"]
    problems = report.get("problems", [])
    bad = [problem for problem in problems if problem["severity"] == "error"]
    actions = [action for action in report.get("actions", []) if action["result"] == "planned"]
    good = code == 0 and not bad
    print(f"# mita: {'nothing to worry about' if good else 'somebody should look'} (exit {code})\n")
    section("Errors", [place(error) + error["message"] for error in report.get("errors", [])])
    section("Problems", [f"{one['severity']}: {one['sentence']}" for one in problems])
    section("A pass would", [f"{one['do']} {one['name']}: {one['because']}" for one in actions])
    section("Notes", report.get("notes", []))
    return good


def main():
    try:
        with open(sys.argv[1], encoding="utf-8") if len(sys.argv) > 1 else sys.stdin as file:
            return 0 if verdict(json.load(file)) else 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"verdict.py: this is no report of mita: {shown(error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
