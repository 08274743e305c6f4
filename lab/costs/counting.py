"""Count what one piece of work does: Python instructions by room and library, statements, commits, signatures."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from sqlalchemy import Engine, event

# Whose instructions are counted together. What is none of these, and none of ours, is Python's own library.
LIBRARIES = {
    "sqlalchemy": "SQLAlchemy and driver",
    "psycopg": "SQLAlchemy and driver",
    "ldap3": "ldap3 and pyasn1",
    "pyasn1": "ldap3 and pyasn1",
    "flask": "Flask and Werkzeug",
    "werkzeug": "Flask and Werkzeug",
    "itsdangerous": "Flask and Werkzeug",
    "jinja2": "Jinja",
    "markupsafe": "Jinja",
    "jwt": "tokens",
    "nacl": "tokens",
    "cryptography": "tokens",
}
OURS = ("portal", "ads", "sessions", "auth", "sites", "gateways", "db", "config")
PYTHON = "Python's own library"
# Functions that sign or verify, by the ends of their qualified names.
SIGNING = {
    "Tokens.sign",
    "Tokens.verify",
    "EncryptedTokens.encrypt",
    "EncryptedTokens.decrypt",
    "ResumeCodes.of",
}


@dataclass(slots=True)
class Costs:
    """What was counted. `instructions` are those of the interpreter, by whose they are; `functions` has the same
    instructions by module and function."""

    instructions: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    signatures: Counter[str] = field(default_factory=Counter)
    statements: list[str] = field(default_factory=list)
    commits: int = 0

    @property
    def total(self) -> int:
        return self.instructions.total()


@contextmanager
def counted(engine: Engine) -> Iterator[Costs]:
    """Count what this thread does until the end of the block, a hundred times more slowly than it does it."""
    costs, modules, found = Costs(), dict[CodeType, str](), Counter[CodeType]()

    def local(frame: FrameType, kind: str, _argument: Any) -> Any:
        if kind == "opcode":
            found[frame.f_code] += 1
        return local

    def entered(frame: FrameType, _kind: str, _argument: Any) -> Any:
        code = frame.f_code
        if code not in modules:
            modules[code] = str(frame.f_globals.get("__name__", ""))
        if code.co_qualname in SIGNING:
            costs.signatures[code.co_qualname] += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return local

    own = threading.get_ident()

    def executed(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if threading.get_ident() == own:
            costs.statements.append(statement)

    def committed(_connection: Any) -> None:
        if threading.get_ident() == own:
            costs.commits += 1

    before = sys.gettrace()
    with _listening(engine, before_cursor_execute=executed, commit=committed):
        sys.settrace(entered)
        try:
            yield costs
        finally:
            sys.settrace(before)
            for code, count in found.items():
                costs.instructions[_owner(modules[code])] += count
                costs.functions[f"{modules[code]}:{code.co_qualname}"] += count


@contextmanager
def _listening(engine: Engine, **listeners: Any) -> Iterator[None]:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def _owner(module: str) -> str:
    room = module.partition(".")[0]
    return f"{room}/" if room in OURS else LIBRARIES.get(room, PYTHON)
