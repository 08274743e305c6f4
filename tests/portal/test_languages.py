"""The catalogues hold every text of the pages, once, in words fit to print."""

from __future__ import annotations

import gettext
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from lab.messages import key, wanted_texts
from portal.i18n import catalogues
from portal.i18n.catalogues import FOLDER, SOURCE, Catalogue, available, catalogue, is_whole, name_of
from portal.i18n.translation import in_full, in_words, volume
from tests.portal.speaking import speaking

PLACEHOLDER = re.compile(r"%\(\w+\)s")
TRANSLATED = sorted(available() - {SOURCE})


def read(code: str) -> Catalog:
    with (FOLDER / f"{code}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(code: str) -> list[Message]:
    return [message for message in read(code) if message.id]


def forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(form) for form in text or ()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated(code: str) -> None:
    """All texts in a whole catalogue, those that guests meet in each."""
    wanted = {key(text) for text in wanted_texts(code)}
    assert len(wanted) > 250
    assert wanted - {key(message.id) for message in messages(code)} == set()


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_translation_is_left_over(code: str) -> None:
    wanted = {key(text) for text in wanted_texts(code)}
    assert {key(message.id) for message in messages(code)} - wanted == set()
    assert not read(code).obsolete


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_text_stands_twice(code: str) -> None:
    """Of two entries for one text the last would be said, and the first be read by whoever mends the catalogue."""
    written = re.findall(r'^msgid ((?:".*"\n)+)', (FOLDER / f"{code}.po").read_text("utf-8"), re.MULTILINE)
    texts = Counter("".join(re.findall(r'"(.*)"', lines)) for lines in written)
    assert texts.total() > 150
    assert [text for text, times in texts.items() if times > 1] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_is_whole_and_certain(code: str) -> None:
    for message in messages(code):
        assert not message.fuzzy, message.id
        assert forms(message.string) and all(form.strip() for form in forms(message.string)), message.id
        expected = read(code).num_plurals if message.pluralizable else 1
        assert len(forms(message.string)) == expected, message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_fills_in_the_same_values(code: str) -> None:
    """A form for a single number may say that number as a word."""
    single = [len(numbers) == 1 for numbers in numbers_by_form(code)]
    for message in messages(code):
        wanted = set(PLACEHOLDER.findall(" ".join(forms(message.id))))
        for place, form in enumerate(forms(message.string)):
            found = set(PLACEHOLDER.findall(form))
            assert found == wanted or (message.pluralizable and single[place] and not found), message.id
            assert form.count("[") == key(message.id).count("["), message.id


def numbers_by_form(code: str) -> list[set[int]]:
    """Which numbers up to 300 each plural form of this catalogue is for."""
    catalog = read(code)
    rule = gettext.c2py(catalog.plural_expr)
    return [{n for n in range(300) if rule(n) == form} for form in range(catalog.num_plurals)]


@pytest.mark.parametrize("code", TRANSLATED)
def test_plurals_follow_cldr(code: str) -> None:
    """The same numbers share a form as share a category in CLDR."""
    category = Locale.parse(code).plural_form
    by_category: dict[str, set[int]] = {}
    for n in range(300):
        by_category.setdefault(category(n), set()).add(n)
    assert sorted(map(sorted, by_category.values())) == sorted(map(sorted, numbers_by_form(code)))


# What a language does not write, or only in another way.
WRONG_SIGNS = {
    "de": r"\s[:;?!]|[«»']|\d %",
    "it": r"\s[:;?!]|\w'\w|\d\s%",
    "es": r"\s[:;?!]|^[^¿]*\?|^[^¡]*!|\d %",
    "ar": r"[\u0600-\u06ff] ?[,;?]|[٠-٩]",
}


@pytest.mark.parametrize("code", WRONG_SIGNS)
def test_each_language_has_its_own_signs(code: str) -> None:
    patterns = re.compile("EEEE|HH:mm")
    for message in messages(code):
        for form in forms(message.string):
            assert patterns.search(form) or not re.search(WRONG_SIGNS[code], form), form


def test_french_has_its_own_spaces_and_apostrophes() -> None:
    for message in messages("fr"):
        for form in forms(message.string):
            assert not re.search(r" [:;?!»%](?!\()|« |'", form), form


def test_french_has_two_words_where_english_has_one() -> None:
    """A place is shut, a requisition is dealt with: two texts, so that each is said in its own word."""
    french = catalogue("fr")
    assert french.gettext("Closed") == "Fermé"
    assert french.gettext("Closing") == "Clôture"
    assert (french.gettext("ended"), french.gettext("no longer holds")) == ("terminée", "a pris fin")


def test_french_counts_none_as_one() -> None:
    french = catalogue("fr")
    assert french.ngettext("%(n)s place.", "%(n)s places.", 0) == "%(n)s lieu."
    assert french.ngettext("%(n)s place.", "%(n)s places.", 2) == "%(n)s lieux."


@pytest.fixture
def french() -> Iterator[None]:
    with speaking("fr"):
        yield


@pytest.mark.parametrize(
    ("length", "short", "full"),
    [
        (timedelta(seconds=59), "moins d’une minute", "moins d’une minute"),
        (timedelta(minutes=1), "1\u00a0min", "1 minute"),
        (timedelta(minutes=30), "30\u00a0min", "30 minutes"),
        (timedelta(minutes=65), "1\u00a0h\u00a005", "1\u00a0h\u00a005"),
        (timedelta(hours=4), "4\u00a0h", "4 heures"),
    ],
)
@pytest.mark.usefixtures("french")
def test_a_length_is_said_as_people_say_it(length: timedelta, short: str, full: str) -> None:
    assert in_words(length) == short
    assert in_full(length) == full


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (0, "moins de 1\u00a0Mo"),
        (999_999, "moins de 1\u00a0Mo"),
        (12_300_000, "12\u00a0Mo"),
        (999_499_999, "999\u00a0Mo"),
        (999_500_000, "1,0\u00a0Go"),
        (1_440_000_000, "1,4\u00a0Go"),
    ],
)
@pytest.mark.usefixtures("french")
def test_an_amount_of_data_is_said_as_people_say_it(octets: int, said: str) -> None:
    assert volume(octets) == said


def test_a_catalogue_is_read_when_it_is_first_spoken_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, Catalogue] = {}
    monkeypatch.setattr(catalogues, "_read", read)
    assert catalogue(SOURCE).gettext("Open") == "Open"
    assert set(read) == {SOURCE}
    together = threading.Barrier(8)

    def speak(_: int) -> Catalogue:
        together.wait(timeout=30)
        return catalogue("fr")

    with ThreadPoolExecutor(8) as threads:
        spoken = list(threads.map(speak, range(8)))
    assert len({id(one) for one in spoken}) == 1


def test_a_language_is_called_by_its_own_name() -> None:
    assert [name_of(code) for code in ("fr", "en", "de", "ar")] == [
        "Français",
        "English",
        "Deutsch",
        "العربية",
    ]


def test_english_and_french_are_whole() -> None:
    """What staff read is complete in both."""
    assert is_whole("en") and is_whole("fr")
