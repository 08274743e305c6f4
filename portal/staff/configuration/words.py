"""The cells of records in words, and the labels of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from portal.i18n.translation import comma, day_and_time, say
from portal.records.kinds import Field, RecordPages, Widget
from portal.services import services, town_zone
from portal.staff.configuration.typed import options_of

LONGEST_SHOWN = 200


class CellWords:
    """The cells of one kind in words, and the labels of its columns."""

    def __init__(self, db: Session, pages: RecordPages) -> None:
        self._fields: dict[str, Field] = {one.column: one for one in pages.fields if not one.by_language}
        self._texts: dict[str, Field] = {one.column: one for one in pages.fields if one.by_language}
        self._options = {name: dict(options_of(db, one)) for name, one in self._fields.items()}

    def label(self, column: str) -> str:
        """The label of a column; one that no form has is called by its name."""
        if column in self._fields:
            return say(self._fields[column].label)
        base, _, code = column.rpartition("_")
        return say(self._texts[base].label, language=code) if base in self._texts else column

    def __call__(self, column: str, cells: Mapping[str, str]) -> str:
        text = cells.get(column, "")
        field = self._fields.get(column)
        match field.widget if field else Widget.LINE:
            case Widget.YES_NO:
                return say("yes") if text == "true" else say("no")
            case Widget.ONE_OF | Widget.KNOWN:
                return self._options[column].get(text, text)
            case Widget.SOME_OF:
                return comma().join(self._options[column].get(one, one) for one in text.split())
            case Widget.INSTANT if text:
                return _moment(text)
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _moment(text: str) -> str:
    return day_and_time(datetime.fromisoformat(text), town_zone().key, now=services().clock())
