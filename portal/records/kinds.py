"""How a kind of record is shown and typed: the words, hint and widget of each column. Texts are English, marked for
the catalogues, and translated where they are shown."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from auth.records import RecordKind
from auth.staff.roles import Action
from sites.import_export.records import Records, Values

# The value of an option, and its words in the language of the request.
Option = tuple[str, str]


class Widget(enum.StrEnum):
    """What a column is typed into."""

    LINE = "line"
    TEXT = "text"
    WHOLE = "whole"
    # A tick; and a choice of yes, no and not known.
    YES_NO = "yes_no"
    KNOWN = "known"
    ONE_OF = "one_of"
    SOME_OF = "some_of"
    DAY = "day"
    # On the clock of the record's zone, or the town's; in the record as ISO 8601 with its offset.
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Field:
    """A column on the form. With `by_language`, one for each language that the town speaks: "terms" is ``terms_fr``,
    and the label names the language as ``%(language)s``."""

    column: str
    label: str
    hint: str = ""
    widget: Widget = Widget.LINE
    # For `ONE_OF` and `SOME_OF`.
    options: Callable[[Session], Sequence[Option]] | None = None
    by_language: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class RecordPages:
    """A kind of record with the words of its pages.

    `listed` are the columns of the list, the first of them the link. `name` is the column that people call one by.
    """

    kind: RecordKind
    title: str
    new: str
    groups: tuple[Group, ...]
    listed: tuple[str, ...]
    name: str = "name"
    # The same records with what the settings of this installation say; None: as they are.
    here: Callable[[], Records] | None = None
    # Whether the generic form adds one: not where adding shows a secret once, on a page of its own.
    adds: bool = True
    # What is to be known of a record with these values, in the language of the request: it holds, but not everywhere.
    cautions: Callable[[Session, Values], Sequence[str]] = lambda _db, _values: ()
    # What the form asks for in another way than the record has it: reads it into the cells.
    compose: Callable[[Mapping[str, str], dict[str, str]], None] | None = None
    # Whether its records are the whole town's, so that nobody of some networks has them.
    town_wide: bool = False

    @property
    def slug(self) -> str:
        """What the kind is called in addresses and commands."""
        return self.kind.name

    @property
    def action(self) -> Action:
        return self.kind.action

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(one for group in self.groups for one in group.fields)

    def networks_of(self, values: Mapping[str, object]) -> Collection[str]:
        return self.kind.networks_of(dict(values))
