#!/usr/bin/env python3
"""Turns the Python configuration of the original mita into a mita.yaml.

    ./migrate.py config/prod.py > mita.yaml

The configuration is read and never run: literals, names, concatenation, formatting, dedent, merged dicts, imports of
files beside it and look-ups of the environment are evaluated; everything else is named on stderr, with its line, and
left out. See README.md beside this file. Python 3.8 or newer, nothing but its standard library.

Exit codes: 0 all of it was carried over; 1 a person has to complete it, as stderr says; 2 wrong usage, or the file
cannot be read.
"""

import argparse
import ast
import copy
import inspect
import os
import re
import string
import sys
import textwrap
from pathlib import Path

PLACEHOLDER = "change me"
BY_HAND = "write its value for 'change me'"
BY_DEFAULT = "the default beside it is taken"
# No configuration is that large, and no text in it: bounds for what formatting and doubling could make.
LARGEST_FILE = 4 << 20
LARGEST = 1 << 20


class Unknown(Exception):
    """What is not evaluated, and why."""


class Lost:
    """In the place of a value that is not known."""

    def __init__(self, why):
        self.why = why


class Text(str):
    """A text with notes for a person on what it was made of."""

    notes = ()


class Symbol:
    """Something of a module that is not beside the configuration, by its dotted name."""

    def __init__(self, name):
        self.name = name


def shown(text):
    """Returns a text in quotes, with nothing in it that a terminal would act on."""
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(text)) + '"'


# --- the values of a file of Python


def notes_in(value):
    """Collects the notes of all texts in a value."""
    if isinstance(value, Text):
        return value.notes
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        return tuple(note for item in value for note in notes_in(item))
    if isinstance(value, Lost):
        raise Unknown(value.why)
    if isinstance(value, (Symbol, File)):
        raise Unknown(f"{getattr(value, 'name', 'it')} is not known")
    return ()


def made(value, *sources):
    """Bounds a new value; a text gets the notes of those that it was made of."""
    if isinstance(value, (str, bytes, list, tuple, dict)) and len(value) > LARGEST:
        raise Unknown("it would be larger than 1 MiB")
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise Unknown("the number is too large")
    notes = tuple(dict.fromkeys(note for source in sources for note in notes_in(source)))
    if isinstance(value, str) and notes:
        value = Text(value)
        value.notes = notes
    return value


# A width or precision with which a short format makes a long text.
WIDE = re.compile(r"\d{5}")
WIDE_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\d{5}|\d*\.\d{5}|\d*\.?\*)")


def percent(text, values):
    if WIDE_PERCENT.search(text):
        raise Unknown("a format of such a width is not evaluated")
    return made(text % values, text, values)


def format_text(text, values, named):
    for _, field, spec, _ in string.Formatter().parse(text):
        if field and "." in field or spec and ("{" in spec or WIDE.search(spec)):
            raise Unknown("a format of such a width, or that looks into its values, is not evaluated")
    return made(text.format(*values, **named), text, values, named)


def replace_text(text, old, new, *count):
    if text.count(old) * len(new) > LARGEST:
        raise Unknown("it would be larger than 1 MiB")
    return made(text.replace(old, new, *count), text, new)


def plain_method(name):
    """A method that makes a text no longer than it was, or parts of it."""

    def call(text, *values):
        result = getattr(str, name)(text, *values)
        return [made(part, text) for part in result] if isinstance(result, list) else made(result, text, values)

    return call


def merge(into, *values, **named):
    for value in values:
        into.update(value)
    into.update(named)


TEXT_METHODS = {
    name: plain_method(name)
    for name in ("strip", "lstrip", "rstrip", "lower", "upper", "title", "split", "rsplit", "splitlines")
}
TEXT_METHODS.update(
    join=lambda text, values: made(text.join(values), text, values),
    replace=replace_text,
    encode=lambda text, *_: text,
    format=lambda text, *values, **named: format_text(text, values, named),
)
METHODS = {
    str: TEXT_METHODS,
    bytes: {"decode": lambda value, *_: value.decode("utf-8")},
    dict: {"update": merge, **{name: getattr(dict, name) for name in ("get", "copy", "pop", "setdefault", "keys", "values", "items")}},
    list: {name: getattr(list, name) for name in ("append", "extend", "insert", "remove", "pop", "copy")},
}
FUNCTIONS = {
    "textwrap.dedent": lambda text: made(textwrap.dedent(text), text),
    "inspect.cleandoc": lambda text: made(inspect.cleandoc(text), text),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    **{kind.__name__: kind for kind in (dict, list, tuple, int, float, bool, sorted, set, frozenset)},
    "str": lambda value="": made(str(value), value),
    "unicode": lambda value="": made(str(value), value),
}
OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: times(a, b),
    ast.BitOr: lambda a, b: {**a, **b} if isinstance(a, dict) else a | b,
    ast.Mod: lambda a, b: percent(a, b) if isinstance(a, str) else a % b,
}
COMPARISONS = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}
KINDS = {
    "ListComp": "a comprehension",
    "SetComp": "a comprehension",
    "DictComp": "a comprehension",
    "GeneratorExp": "a comprehension",
    "Lambda": "a lambda",
    "For": "a loop",
    "While": "a loop",
    "With": "a with statement",
    "FunctionDef": "a function",
    "AsyncFunctionDef": "a function",
    "ClassDef": "a class",
}


def times(a, b):
    for value, count in ((a, b), (b, a)):
        if hasattr(value, "__len__") and isinstance(count, int) and len(value) * count > LARGEST:
            raise Unknown("it would be larger than 1 MiB")
    return a * b


class File:
    """A file of Python, and what its names mean."""

    def __init__(self, path, options, files=None):
        self.path = path
        self.options = options
        self.files = {} if files is None else files
        self.files[path] = self
        self.names = {"__name__": path.stem, "__file__": str(path)}
        self.notes = []
        source = path.read_bytes()
        if len(source) > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE >> 20} MiB")
        self.run(ast.parse(source, str(path)).body)

    def at(self, node, why):
        """Says where something is that is not evaluated, once."""
        why = str(why)
        return why if why.startswith("line ") else f"line {node.lineno} of {self.path.name}: {why}"

    # Statements

    def run(self, body):
        for statement in body:
            try:
                run = getattr(self, "run_" + type(statement).__name__, self.run_other)
                run(statement)
            except Unknown as unknown:
                self.lose(statement, self.at(statement, unknown))
            except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
                self.lose(statement, self.at(statement, f"Python would say {type(error).__name__} here"))

    def lose(self, statement, why):
        """What a statement would have set is not known; one that changes something else is named."""
        targets = [node for node in ast.walk(statement) if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del))]
        names = [node.id for node in targets if isinstance(node, ast.Name)]
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [statement.name]
        elif not (names and isinstance(statement, (ast.Assign, ast.AnnAssign))):
            self.notes.append(why)
        for name in names:
            self.names[name] = Lost(why)

    def run_other(self, statement):
        kind = KINDS.get(type(statement).__name__, "this statement")
        raise Unknown(f"{kind} is not run, and what it sets or changes is left out")

    def run_Pass(self, _):
        pass

    run_Global = run_Assert = run_Pass

    def run_Try(self, statement):
        # `try: from local import *` and its like: as if nothing failed.
        self.run(statement.body + statement.orelse + statement.finalbody)

    def run_If(self, statement):
        try:
            test = self.decided(statement.test)
        except Unknown as unknown:
            raise Unknown(f"a condition is not decided ({unknown}), and what is under it is left out") from None
        self.run(statement.body if test else statement.orelse)

    def run_Expr(self, statement):
        if not isinstance(statement.value, ast.Constant):
            self.value(statement.value)

    def run_Assign(self, statement):
        value = self.value(statement.value)
        for target in statement.targets:
            self.assign(target, value)

    def run_AnnAssign(self, statement):
        if statement.value:
            self.assign(statement.target, self.value(statement.value))

    def run_AugAssign(self, statement):
        target = copy.copy(statement.target)
        target.ctx = ast.Load()
        old, new = self.value(target), self.value(statement.value)
        if isinstance(old, list):
            old.extend(new)
        elif isinstance(old, dict):
            old.update(new)
        else:
            self.assign(statement.target, self.binary(type(statement.op), old, new))

    def run_Delete(self, statement):
        for target in statement.targets:
            if isinstance(target, ast.Subscript):
                del self.value(target.value)[self.value(target.slice)]
            elif isinstance(target, ast.Name):
                self.names.pop(target.id, None)

    def assign(self, target, value):
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Subscript):
            self.value(target.value)[self.value(target.slice)] = value
        elif isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == len(value):
            for one, part in zip(target.elts, value):
                self.assign(one, part)
        else:
            raise Unknown("such an assignment is not evaluated")

    def sibling(self, module):
        """Returns the file of that name beside this one, where there is one."""
        name = (module or "").rsplit(".", 1)[-1]
        path = self.path.parent / (name + "." + self.path.name.partition(".")[2])
        if not name.isidentifier() or not path.is_file():
            return None
        if path not in self.files:
            self.notes.extend(File(path, self.options, self.files).notes)
        return self.files[path]

    def run_Import(self, statement):
        for alias in statement.names:
            self.names[alias.asname or alias.name.partition(".")[0]] = self.sibling(alias.name) or Symbol(alias.name)

    def run_ImportFrom(self, statement):
        file = self.sibling(statement.module)
        for alias in statement.names:
            if alias.name == "*":
                self.names.update(file.names if file else {})
            elif file:
                self.names[alias.asname or alias.name] = file.names.get(alias.name, Lost(f"{file.path.name} does not set it"))
            else:
                sub = self.sibling(alias.name) if not statement.module else None
                self.names[alias.asname or alias.name] = sub or Symbol(f"{statement.module}.{alias.name}")

    # Expressions

    def value(self, node):
        evaluate = getattr(self, "value_" + type(node).__name__, None)
        if evaluate is None:
            raise Unknown(self.at(node, KINDS.get(type(node).__name__, "such an expression") + " is not evaluated"))
        try:
            result = evaluate(node)
            if isinstance(result, Lost):
                raise Unknown(result.why)
            return result
        except Unknown as unknown:
            raise Unknown(self.at(node, unknown)) from None
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise Unknown(self.at(node, f"Python would say {type(error).__name__} here")) from None

    def part(self, node):
        """A value of a list or dict: one that is not known leaves the others alone."""
        try:
            value = self.value(node)
            if isinstance(value, (Symbol, File)):
                raise Unknown(self.at(node, f"{getattr(value, 'name', 'it')} is not known"))
            return value
        except Unknown as unknown:
            return Lost(str(unknown))

    def value_Constant(self, node):
        return node.value

    def value_Index(self, node):  # Python 3.8
        return self.value(node.value)

    def value_Name(self, node):
        value = self.names.get(node.id, Symbol(node.id))
        if isinstance(value, Lost):
            raise Unknown(f"{node.id} is not known ({value.why})")
        return value

    def value_Attribute(self, node):
        base = self.value(node.value)
        if isinstance(base, File):
            return base.names.get(node.attr, Lost(f"{base.path.name} does not set {node.attr}"))
        if isinstance(base, Symbol):
            return Symbol(f"{base.name}.{node.attr}")
        raise Unknown("an attribute is not looked up")

    def value_List(self, node):
        items = []
        for item in node.elts:
            items.extend(self.value(item.value) if isinstance(item, ast.Starred) else [self.part(item)])
        return items

    value_Set = value_List

    def value_Tuple(self, node):
        return tuple(self.value_List(node))

    def value_Dict(self, node):
        result = {}
        for key, value in zip(node.keys, node.values):
            if key is None:
                result.update(self.value(value))
            else:
                result[self.value(key)] = self.part(value)
        return result

    def value_Subscript(self, node):
        base, key = self.value(node.value), self.value(node.slice)
        if isinstance(base, Symbol) and base.name == "os.environ":
            return self.variable(node, key)
        return base[key]

    def variable(self, node, name, *default):
        """A variable of the environment: its value only where that was asked for."""
        if self.options.environment and name in os.environ:
            return os.environ[name]
        why = f"comes from the variable {shown(name)}; "
        if default and default[0] is not None:
            why += BY_DEFAULT
        else:
            default, why = [PLACEHOLDER], why + BY_HAND
        value = Text(default[0]) if isinstance(default[0], str) else default[0]
        if isinstance(value, Text):
            value.notes = (self.at(node, why),)
        return value

    def value_BinOp(self, node):
        return self.binary(type(node.op), self.value(node.left), self.value(node.right))

    def binary(self, operator, left, right):
        if operator not in OPERATIONS:
            raise Unknown("such a calculation is not evaluated")
        return made(OPERATIONS[operator](left, right), *(side for side in (left, right) if not isinstance(side, (list, dict))))

    def value_UnaryOp(self, node):
        value = self.decided(node.operand)
        return not value if isinstance(node.op, ast.Not) else -value

    def decided(self, node):
        """A value on which something depends: not one that the environment of another machine has."""
        value = self.value(node)
        for note in notes_in(value):
            raise Unknown(note)
        return value

    def value_BoolOp(self, node):
        for item in node.values[:-1]:
            value = self.value(item)
            unset = isinstance(node.op, ast.Or) and isinstance(value, Text) and value == PLACEHOLDER
            if not unset and bool(self.decided(item)) == isinstance(node.op, ast.Or):
                return value
        last = made(self.value(node.values[-1]), value)
        if isinstance(last, Text):
            last.notes = tuple(note.replace(BY_HAND, BY_DEFAULT) for note in last.notes)
        return last

    def value_Compare(self, node):
        values = [self.decided(item) for item in [node.left, *node.comparators]]
        tests = [COMPARISONS.get(type(operator)) for operator in node.ops]
        if None in tests:
            raise Unknown("such a comparison is not evaluated")
        return all(test(*pair) for test, pair in zip(tests, zip(values, values[1:])))

    def value_IfExp(self, node):
        return self.value(node.body if self.decided(node.test) else node.orelse)

    def value_JoinedStr(self, node):
        parts = [self.value(part) for part in node.values]
        return made("".join(parts), parts)

    def value_FormattedValue(self, node):
        value = self.value(node.value)
        spec = self.value(node.format_spec) if node.format_spec else ""
        notes = made("", value)
        if WIDE.search(spec):
            raise Unknown("a format of such a width is not evaluated")
        convert = {ord("r"): repr, ord("s"): str, ord("a"): ascii}.get(node.conversion, lambda same: same)
        return made(format(convert(value), spec), notes)

    def value_Call(self, node):
        values = []
        for item in node.args:
            values.extend(self.value(item.value) if isinstance(item, ast.Starred) else [self.value(item)])
        named = {}
        for word in node.keywords:
            named.update({word.arg: self.part(word.value)} if word.arg else self.value(word.value))
        if isinstance(node.func, ast.Attribute):
            base = self.value(node.func.value)
            for kind, methods in METHODS.items():
                if isinstance(base, kind) and node.func.attr in methods:
                    return methods[node.func.attr](base, *values, **named)
        function = self.value(node.func)
        name = function.name if isinstance(function, Symbol) else getattr(node.func, "id", getattr(node.func, "attr", "it"))
        if name in ("os.environ.get", "os.getenv"):
            return self.variable(node, *values, *named.values())
        if name not in FUNCTIONS or not isinstance(function, Symbol):
            raise Unknown(f"calls {name}(), which is not run")
        return FUNCTIONS[name](*values, **named)


# --- YAML

PLAIN = re.compile(r"(?:https?://)?[A-Za-z_][A-Za-z0-9_.()/-]*(?:[: ][A-Za-z0-9_.()/-]+)*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def scalar(value):
    """A text on one line, in quotes where YAML would read something else."""
    if isinstance(value, (bool, int)):
        return str(value).lower()
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    simple = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}

    def escape(char):
        wide = "\\U%08x" if ord(char) > 0xFFFF else "\\u%04x"
        return simple.get(char) or (char if char.isprintable() else wide % ord(char))

    return '"' + "".join(map(escape, value)) + '"'


def block(text, indent):
    """A text of several lines as it stands, where YAML can hold it so; the same text on one line, else."""
    lines = text.split("\n")
    odd = any(not (char.isprintable() or char in "\n\t") for char in text)
    if odd or len(lines) == 1 or not lines[0].strip() or lines[0][0] in " \t" or lines[-1] and not lines[-1].strip():
        return [scalar(text)]
    ends = {0: "-", 1: ""}.get(len(text) - len(text.rstrip("\n")), "+")
    if not lines[-1]:
        lines.pop()
    return ["|" + ends] + [indent + line if line else "" for line in lines]


# --- mita.yaml

# What of each section the original used.
PROVIDER = ("username", "password", "auth_url", "auth_version", "service_region", "tenant_name")
JENKINS = ("url", "user", "token")
NODE = ("provider", "image_name", "size", "keyname", "labels", "storage", "script")
# What mita does not take in the name of a template, since Jenkins or a host name cannot have it.
FORBIDDEN = re.compile(r"[?*/\\%!@#$^&|<>\[\]:;+\x00-\x1f\x7f-\x9f]")
LONGEST_NAME = 49
ID = "0f1e2d3c-id-of-a-server"


class Converter:
    """Writes mita.yaml from what the names of a configuration mean."""

    def __init__(self, file, options):
        self.names = file.names
        self.options = options
        self.lines = [f"# Made of {shown(file.path.name)} by migrate.py of mita; what it said is to be looked at."]
        self.notes = {}
        # Whether a person has to complete it.
        self.incomplete = False
        for note in file.notes:
            self.lost(file.path.name, note)

    def note(self, path, text):
        paths = self.notes.setdefault(text, [])
        if path not in paths:
            paths.append(path)

    def said(self):
        """The notes, each once, with the places that it is about."""
        for text, paths in self.notes.items():
            others = f" and {len(paths) - 3} others" if len(paths) > 4 else ""
            yield f"{', '.join(paths[:3] if others else paths)}{others}: {text}"

    def lost(self, path, text):
        self.incomplete = True
        self.note(path, text)

    def section(self, name):
        value = self.names.get(name, Lost("the configuration does not set it"))
        if isinstance(value, dict):
            return {key: one for key, one in value.items() if key != "__force_dict__"}
        self.lost(name, value.why if isinstance(value, Lost) else "is no dict; write this section by hand")
        return {}

    def text(self, path, value, needed=True):
        """A text, or nothing where it may be missing; what is not known is a placeholder."""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if value is None or value == "":
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value):
            for note in getattr(value, "notes", ()):
                self.note(path, note)
                self.incomplete |= PLACEHOLDER in value
            if "{{" in value:
                self.note(path, "holds {{ }}: if Ansible fills this file in, use the file that it makes")
            return value
        why = value.why if isinstance(value, Lost) else "is no text"
        self.lost(path, why + (f"; write it for {PLACEHOLDER!r}" if needed else "; left out"))
        return PLACEHOLDER if needed else None

    def others(self, path, section, known):
        for key in section:
            if key not in known:
                self.lost(f"{path}.{shown(key)[1:-1]}", "the original did not use it, and it is left out")

    def secret(self, path, value, key, file):
        """A password or token: as it is, or in a file of its own."""
        if value == PLACEHOLDER or not self.options.secrets_to:
            if value != PLACEHOLDER:
                self.note(path, f"mita.yaml holds a secret: keep it at mode 0600, or use --secrets-to DIR ({key}_file)")
            return f"{key}: {scalar(value)}"
        target = Path(self.options.secrets_to, re.sub(r"[^A-Za-z0-9._-]", "_", file))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(value + "\n")
        return f"{key}_file: {scalar(str(target))}"

    def provider(self):
        self.lines.append("provider:")
        for name, entry in self.section("provider").items():
            path = f"provider.{shown(name)[1:-1]}"
            if not isinstance(entry, dict):
                self.lost(path, entry.why if isinstance(entry, Lost) else "is no dict; left out")
                continue
            self.lines.append(f"  {scalar(str(name))}:")
            if name != "openstack":
                self.lines.append("    type: openstack")
            for key in (key for key in PROVIDER if key in entry):
                value = self.text(f"{path}.{key}", entry[key])
                if value and key == "password":
                    self.lines.append("    " + self.secret(f"{path}.{key}", value, key, f"{name}.password"))
                elif value:
                    self.lines.append(f"    {key}: {scalar(value)}")
            self.others(path, entry, PROVIDER)
            if str(entry.get("auth_url", "")).startswith("https:"):
                self.note(path, "the original did not verify certificates, mita does: name a CA of your own by ca_file")

    def jenkins(self):
        section = self.section("jenkins")
        several = [name for name, value in section.items() if isinstance(value, dict)]
        if several:
            chosen = self.options.controller or several[0]
            if chosen not in several:
                raise ValueError(f"there is no controller {shown(chosen)}: {', '.join(map(shown, several))}")
            names = ", ".join(map(shown, several))
            self.lost("jenkins", f"one mita serves one controller, and there are {names}; this is the configuration of "
                                 f"{shown(chosen)}: run this script with --controller for each, and give each mita its own "
                                 "user or state_file")
            section = section[chosen]
        self.lines.append("jenkins:")
        for key in (key for key in JENKINS if key in section):
            value = self.text(f"jenkins.{key}", section[key])
            if value and key == "token":
                self.lines.append("  " + self.secret(f"jenkins.{key}", value, key, "jenkins.token"))
            elif value:
                self.lines.append(f"  {key}: {scalar(value)}")
        self.others("jenkins", section, JENKINS)

    def defaults(self):
        self.lines += [
            "defaults:",
            "  # Takes over the servers that the original made; remove it when the last of them is gone.",
            "  adopt: true",
            "  max: 10    # The original had no limit: at least as many as run now, since old servers count.    <--",
            "timing:",
            "  # As in the original. With 10m the same jobs cost less, and hardly wait longer.",
            "  idle_grace: 40m",
        ]

    def nodes(self):
        self.lines.append("nodes:")
        taken = set()
        for name, entry in self.section("nodes").items():
            new = self.name(str(name), taken)
            taken.add(new)
            path = f"nodes.{shown(new)[1:-1]}"
            self.text(path, name)
            if isinstance(entry, dict):
                self.lines.append(f"  {scalar(new)}:")
                self.node(path, str(name), entry)
                self.others(path, entry, NODE)
            else:
                self.lost(path, entry.why if isinstance(entry, Lost) else "is no dict; left out")

    def name(self, name, taken):
        """The name of a template: the same, unless mita refuses it."""
        new = FORBIDDEN.sub("_", name).strip()[:LONGEST_NAME].strip() or "unnamed"
        if re.search(r"__[0-9A-Fa-f]{12}$", new):
            new = new[:LONGEST_NAME - 1] + "_"
        plain, number = new, 1
        while new in taken:
            number += 1
            new = f"{plain[:LONGEST_NAME - 4]}_{number}"
        if new != name:
            self.lost(f"nodes.{shown(new)[1:-1]}", f"was {shown(name)}, which mita does not take; its old servers are not found")
        return new

    def node(self, path, name, entry):
        for key in ("provider", "image_name", "size", "keyname"):
            needed = key != "keyname"
            value = self.text(f"{path}.{key}", entry.get(key, Lost("is missing") if needed else None), needed)
            if value:
                self.lines.append(f"    {key}: {scalar(value)}")
        self.lines.append(f"    labels: [{', '.join(map(scalar, self.labels(path, entry.get('labels', []))))}]")
        storage = entry.get("storage")
        if isinstance(storage, int) or isinstance(storage, str) and storage.isdigit():
            self.lines.append(f"    storage: {int(storage)}")
        elif storage is not None:
            self.lost(f"{path}.storage", storage.why if isinstance(storage, Lost) else "is no number; left out")
        script = self.text(f"{path}.script", entry.get("script"), needed=False)
        if script is not None:
            first, *rest = block(self.filled_in(path, name, script), "      ")
            self.lines += [f"    script: {first}", *rest]

    def labels(self, path, value):
        if isinstance(value, str):
            self.note(f"{path}.labels", "was one text, and is split at its blanks")
            value = value.split()
        if isinstance(value, Lost) or not isinstance(value, (list, tuple, set, frozenset)):
            self.lost(f"{path}.labels", value.why if isinstance(value, Lost) else "is no list; left out")
            return []
        texts = [self.text(f"{path}.labels", label, needed=False) for label in value]
        return list(dict.fromkeys(text for text in texts if text))

    def filled_in(self, path, name, script):
        """What the original put in for `%s` is a placeholder of mita's."""
        path += ".script"
        if not script.startswith(("#!", "#cloud-config")):
            self.note(path, "begins with neither #! nor #cloud-config: cloud-init will not run it")
        try:
            filled = percent(script, ID)
        except (TypeError, ValueError, KeyError, Unknown) as error:
            self.lost(path, f"the original made no server of it, since its %s could not be filled in ({error}); kept as it "
                            "is: let it register the node as {{ mita.name }}")
            return script
        new = filled.replace(f"{name}__{ID}", "{{ mita.name }}").replace(ID, "{{ mita.id }}")
        self.note(path, "what was %s in it is " + " and ".join(sorted(set(re.findall(r"{{ mita\.(?:name|id) }}", new)))))
        return new


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the configuration: config/prod.py, config/dev.py")
    parser.add_argument("--secrets-to", metavar="DIR", help="write password and token into files there (mode 0600) and name "
                        "them by *_file; a relative DIR is one beside mita.yaml")
    parser.add_argument("--environment", action="store_true", help="look variables up in the environment of this call")
    parser.add_argument("--controller", metavar="NAME", help="which of several controllers (default: the first)")
    return parser.parse_args()


def convert(options):
    """Returns the lines of mita.yaml, the notes, and whether a person has to complete it."""
    converter = Converter(File(options.file, options), options)
    converter.provider()
    converter.jenkins()
    converter.defaults()
    converter.nodes()
    return converter.lines, list(converter.said()), converter.incomplete


def main():
    options = arguments()
    try:
        lines, notes, incomplete = convert(options)
    except SyntaxError as error:
        file = Path(error.filename or options.file).name
        fault = f"Python 3 cannot read line {error.lineno} of {file}: {error.msg}"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        fault = str(error) or type(error).__name__
    else:
        sys.stdout.reconfigure(encoding="utf-8")
        print("\n".join(lines))
        for note in notes:
            print(f"migrate: {note}", file=sys.stderr)
        return int(incomplete)
    print(f"migrate: {options.file}: {fault}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
