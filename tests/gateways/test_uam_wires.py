"""The recorded dialogues of each make: gateways/KIND/wire/*.txt say what comes, what goes, and where that is from."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateways.registry import kinds
from gateways.uam.dialect import Dialect
from gateways.uam.encodings import Encoding
from gateways.uam.login import Answer, Login, carriage
from gateways.uam.redirect import Redirect, read
from gateways.uam.signature import is_signed

ROOT = Path(__file__).parents[2] / "gateways"
WIRES = sorted(ROOT.glob("*/wire/signin.txt"))
ORIGINS = ("Captured from", "Read in the source of", "Documented, not tried")


@dataclass
class Message:
    """A message of a wire file, and what is said of it. `settings` are those that hold from here on."""

    line: str
    settings: dict[str, str]
    says: dict[str, str] = field(default_factory=dict)

    @property
    def comes_in(self) -> bool:
        return self.line.startswith("> ")


def messages(path: Path) -> Iterator[Message]:
    settings: dict[str, str] = {}
    message: Message | None = None
    for line in [*path.read_text(encoding="utf-8").splitlines(), "# end:"]:
        if line.startswith(("> ", "< ", "# end:")) and message is not None:
            yield message
        if line.startswith("# ") and ": " in line:
            name, _, value = line[2:].partition(": ")
            settings[name] = value
        elif line.startswith(("> ", "< ")):
            message = Message(line, dict(settings))
        elif line and not line.startswith("#") and message is not None:
            name, _, value = line.partition(" ")
            message.says[name] = value


def dialect_of(kind: str) -> Dialect:
    found: Dialect = importlib.import_module(f"gateways.{kind}.dialect").DIALECT
    return found


def test_each_make_that_carries_by_uam_has_a_wire() -> None:
    makes = {path.parent.name for path in ROOT.glob("*/dialect.py")}
    assert {path.parents[1].name for path in WIRES} == makes - {"uam"}
    assert makes - {"uam"} <= set(kinds())


@pytest.mark.parametrize("path", WIRES, ids=lambda path: path.parents[1].name)
def test_the_recorded_dialogue_is_read_and_answered(path: Path) -> None:
    dialect = dialect_of(path.parents[1].name)
    assert path.read_text(encoding="utf-8")[2:].startswith(ORIGINS), "where is it from?"
    said: Redirect | None = None
    for message in messages(path):
        if message.comes_in:
            said = comes_in(dialect, message)
        else:
            assert said is not None
            goes_out(dialect, message, said)


def comes_in(dialect: Dialect, message: Message) -> Redirect:
    query = message.line.partition("?")[2].encode()
    found = read(dialect, query)
    told = {"mac": found.mac, "outcome": found.outcome.value, "reply": found.reply}
    told["address"] = "" if found.address is None else str(found.address)
    assert {name: value for name, value in told.items() if value} == message.says
    assert "203.0.113" not in repr(found), "where the guest wants to go is kept"
    if b"&md=" in query:
        settings = message.settings
        assert is_signed(query, uamserver=settings["uamserver"], uamsecrets=[settings["uamsecret"]])
    return found


def goes_out(dialect: Dialect, message: Message, said: Redirect) -> None:
    login = Login.of(said)
    assert login is not None
    settings = message.settings
    answer = Answer("guest", settings["secret"], "https://portal.example.org/back")
    encoding = Encoding(settings.get("encoding", dialect.encodings[0]))
    assert encoding in dialect.encodings
    made = carriage(dialect, login, answer, encoding=encoding, uamsecret=settings.get("uamsecret", ""))
    assert f"< {made.method} {made.url}" == message.line
    assert made.fields == message.says
