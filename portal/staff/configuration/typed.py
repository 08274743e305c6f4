"""A record on a form, and a form as a record: the cells of one row, as a file would have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from portal.i18n.translation import language_in_words, say
from portal.records.kinds import Field, Option, RecordPages, Widget
from portal.services import services, town_zone
from sites.import_export.records import REQUIRED, Records, cell_of

Cells = Mapping[str, str]
Form = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class ShownField:
    """A column as it stands on the form."""

    name: str
    label: str
    hint: str
    widget: Widget
    value: str
    options: Sequence[Option] = ()
    wrong: Sequence[str] = ()
    # The language of its text, where it is in one; `aside` where that is not the town's own.
    lang: str | None = None
    aside: bool = False

    @property
    def chosen(self) -> list[str]:
        return self.value.split()


@dataclass(frozen=True, slots=True)
class ShownGroup:
    title: str
    fields: Sequence[ShownField]


def shown_groups(
    db: Session, pages: RecordPages, cells: Cells, wrong: Mapping[str, Sequence[str]], *, without: str = ""
) -> list[ShownGroup]:
    """The form of a record with these cells, and what is wrong with each. `without`: a column that is not typed."""
    return [
        ShownGroup(
            say(group.title),
            [
                _shown(db, one, column, code, cells, wrong)
                for one in group.fields
                for column, code in columns_of(pages, one, cells)
                if column != without
            ],
        )
        for group in pages.groups
    ]


def columns_of(pages: RecordPages, field: Field, cells: Cells) -> Iterator[tuple[str, str | None]]:
    """The columns that a field stands for, each with the language of its text."""
    if not field.by_language:
        yield field.column, None
        return
    codes = list(services().settings.languages)
    if pages.kind.records.column(field.column) is not None:
        # A column of this name is the text in the town's own language.
        codes = codes[1:]
    kept = [name for name, text in cells.items() if text and name[:-2] == f"{field.column}_"]
    codes += [name[-2:] for name in kept if name[-2:] not in services().settings.languages]
    for code in codes:
        yield f"{field.column}_{code}", code


def _shown(
    db: Session, field: Field, column: str, code: str | None, cells: Cells, wrong: Mapping[str, Sequence[str]]
) -> ShownField:
    value = cells.get(column, "")
    if field.widget is Widget.INSTANT:
        value = on_the_clock(value, zone_of(cells))
    return ShownField(
        column,
        say(field.label, language=language_in_words(code)) if code else say(field.label),
        say(field.hint) if field.hint else "",
        field.widget,
        value,
        options_of(db, field),
        wrong.get(column, ()),
        code,
        aside=code is not None and code != services().settings.languages[0],
    )


def options_of(db: Session, field: Field) -> Sequence[Option]:
    if field.widget is Widget.KNOWN:
        return [("", say("not known")), ("true", say("yes")), ("false", say("no"))]
    return field.options(db) if field.options else ()


def new_cells(records: Records) -> dict[str, str]:
    """What a new record has where nothing else is said."""
    columns = {name: records.column(name) for name in records.names({})}
    defaults = {name: column.default for name, column in columns.items() if column is not None}
    return {name: cell_of(defaults, name) for name, value in defaults.items() if value is not REQUIRED}


def typed_cells(pages: RecordPages, typed: Form, before: Cells) -> dict[str, str]:
    """The cells that the form says; a text that only had its line breaks changed by the browser is as it was."""
    cells = {}
    for field in pages.fields:
        for column, _ in columns_of(pages, field, before):
            if (text := _typed(field, column, typed)) is not None:
                was = before.get(column, "")
                cells[column] = was if _lines(text) == _lines(was) else text
    zone = cells.get("zone") or before.get("zone", "")
    for field in pages.fields:
        if field.widget is Widget.INSTANT and field.column in cells:
            cells[field.column] = _instant(cells[field.column], zone, before.get(field.column, ""))
    if pages.compose is not None:
        pages.compose(typed, cells)
    return cells


def _typed(field: Field, column: str, typed: Form) -> str | None:
    match field.widget:
        case Widget.YES_NO:
            return "true" if column in typed else "false"
        case Widget.SOME_OF:
            return " ".join(sorted(typed.getlist(column)))
        case Widget.TEXT:
            text = typed.get(column)
            return None if text is None else _lines(text)
        case _:
            return typed.get(column)


def _lines(text: str) -> str:
    """A browser sends every line break as two signs."""
    return text.replace("\r\n", "\n").strip("\n")


def zone_of(cells: Cells) -> ZoneInfo:
    """The zone of a record, else the town's."""
    try:
        return ZoneInfo(cells.get("zone", "")) if cells.get("zone") else town_zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return town_zone()


def on_the_clock(text: str, zone: ZoneInfo) -> str:
    """An instant of a record as a browser's field for a date and a time has it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at.tzinfo else text


def _instant(text: str, zone: str, before: str) -> str:
    """What was typed, with its offset; what no date and time is stays for the column to refuse."""
    if not text.strip():
        return ""
    there = zone_of({"zone": zone})
    if text == on_the_clock(before, there):
        return before
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"):
        try:
            at = datetime.strptime(text.strip(), form).replace(tzinfo=there)
        except ValueError:
            continue
        return at.astimezone(UTC).isoformat()
    return text
