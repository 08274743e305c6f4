"""The shapes of what programs send and get: each reads a value or says what is wrong with it, and describes itself as
JSON Schema (2020-12), so that the description and the check cannot disagree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from portal.i18n.translation import say

Schema = dict[str, Any]


class ShapeFault(Exception):
    """A value is not of its shape. `field` names it, as a JSON pointer; `advice` says what it must be."""

    def __init__(self, field: str, advice: str) -> None:
        super().__init__(field)
        self.field = field
        self.advice = advice


class Shape(Protocol):
    """What a value may be."""

    def schema(self) -> Schema: ...

    def read(self, value: object, field: str) -> Any:
        """The value as ours. Raises `ShapeFault`."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text without control characters; spaces at its ends do not count."""

    longest: int
    about: str
    shortest: int = 0

    def schema(self) -> Schema:
        return {
            "type": "string",
            "description": self.about,
            "minLength": self.shortest,
            "maxLength": self.longest,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        }

    def read(self, value: object, field: str) -> str:
        fits = isinstance(value, str) and self.shortest <= len(value) <= self.longest
        if not fits or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in str(value)):
            raise ShapeFault(
                field, say("It must be one line of at most %(longest)s characters.", longest=self.longest)
            )
        return " ".join(str(value).split())


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    about: str

    def schema(self) -> Schema:
        return {"type": "string", "description": self.about, "enum": list(self.words)}

    def read(self, value: object, field: str) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ShapeFault(field, say("It must be one of: %(words)s.", words=", ".join(self.words)))
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int
    about: str

    def schema(self) -> Schema:
        return {"type": "integer", "description": self.about, "minimum": self.least, "maximum": self.most}

    def read(self, value: object, field: str) -> int:
        # JSON knows one kind of number: 3.0 is 3.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise ShapeFault(
                field,
                say(
                    "It must be a whole number from %(least)s to %(most)s.", least=self.least, most=self.most
                ),
            )
        return value


@dataclass(frozen=True, slots=True)
class Digits(Whole):
    """A whole number in a query, where everything is text."""

    def read(self, value: object, field: str) -> int:
        digits = isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value)
        return Whole.read(self, int(str(value)) if digits else None, field)


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""

    about: str

    def schema(self) -> Schema:
        return {"type": "boolean", "description": self.about}

    def read(self, value: object, field: str) -> bool:
        if not isinstance(value, bool):
            raise ShapeFault(field, say("It must be true or false."))
        return value


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, as 2026-12-31."""

    about: str

    def schema(self) -> Schema:
        return {"type": "string", "format": "date", "description": self.about}

    def read(self, value: object, field: str) -> date:
        try:
            if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ShapeFault(field, say("It must be a day like 2026-12-31."))


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object with these fields and no others. What is not in `required` may be left out."""

    name: str
    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    example: Mapping[str, object] = field(default_factory=dict)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self.fields.items()},
            "required": list(self.required),
            "additionalProperties": False,
            "examples": [dict(self.example)],
        }

    def read(self, value: object, field: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ShapeFault(field or "/", say("It must be a JSON object."))
        for name in value:
            if name not in self.fields:
                known = ", ".join(self.fields)
                raise ShapeFault(
                    f"{field}/{name[:80]}",
                    say("There is no such field. Those there are: %(known)s.", known=known),
                )
        for name in self.required:
            if name not in value:
                raise ShapeFault(f"{field}/{name}", say("It is missing."))
        return {name: self.fields[name].read(given, f"{field}/{name}") for name, given in value.items()}
