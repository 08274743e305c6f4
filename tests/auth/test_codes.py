"""The code on a ticket."""

from __future__ import annotations

import random
import secrets
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.vouchers import codes
from auth.vouchers.codes import ALPHABET, FailedCheck, LookAlike, NoCode, TooLong, TooShort

CODE = "7K2M9QXAH"
a_code = st.text(alphabet=ALPHABET, min_size=8, max_size=8).map(lambda body: body + codes.check_symbol(body))


@pytest.mark.parametrize(("body", "check"), [("7K2M9QXA", "H"), ("23456789", "Q"), ("ZZZZZZZZ", "F")])
def test_the_check_symbol_is_that_of_the_published_vectors(body: str, check: str) -> None:
    assert codes.check_symbol(body) == check
    assert codes.is_valid(body + check)


def test_the_alphabet_has_31_symbols_and_no_look_alike() -> None:
    assert len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set(codes.LOOK_ALIKES)


@given(a_code, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_no_wrong_symbol_is_missed(code: str, place: int, symbol: str) -> None:
    spoiled = code[:place] + symbol + code[place + 1 :]
    assert codes.is_valid(spoiled) == (spoiled == code)


@given(a_code, st.integers(0, 8), st.integers(0, 8))
def test_no_swap_of_two_symbols_is_missed(code: str, one: int, other: int) -> None:
    symbols = list(code)
    symbols[one], symbols[other] = symbols[other], symbols[one]
    spoiled = "".join(symbols)
    assert codes.is_valid(spoiled) == (spoiled == code)


def test_no_wrong_symbol_is_missed_in_any_place_of_one_code() -> None:
    missed = [
        (place, symbol)
        for place in range(9)
        for symbol in ALPHABET
        if symbol != CODE[place] and codes.is_valid(CODE[:place] + symbol + CODE[place + 1 :])
    ]
    assert missed == []


def test_a_code_is_shown_three_by_three() -> None:
    assert codes.show(CODE) == "7K2-M9Q-XAH"


@pytest.mark.parametrize(
    "text",
    [
        "7K2M9QXAH",
        "7k2m9qxah",
        "7K2-M9Q-XAH",
        " 7k2 m9q xah\n",
        "7K2\u2013M9Q\u2014XAH",
        "7K2\u2011M9Q\u2212XAH",
        "7K2.M9Q.XAH",
        "7K2_M9Q_XAH",
        "７Ｋ２－Ｍ９Ｑ－ＸＡＨ",
        "7\u200bK2M\u00ad9QX\ufeffAH",
        "7K\u03012-M9Q-X\u00c0H",
        "7 K 2 M 9 Q X A H",
        "\u201c7K2-M9Q-XAH\u201d",
        "Votre code : 7K2-M9Q-XAH. Bonne journée !",
        "Bonjour, voici votre pass pour la bibliothèque (7k2 m9q xah), valable ce soir",
        "your code is 7K2M9QXAH",
        "https://portal.example.org/pass/7K2-M9Q-XAH",
        "https://portal.example.org/pass/7k2m9qxah?lang=fr",
        "ouvrez HTTPS://PORTAL.EXAMPLE.ORG/PASS/7K2-M9Q-XAH avant 18:00",
    ],
)
def test_a_code_is_read_however_it_was_typed_or_pasted(text: str) -> None:
    assert codes.read(text) == CODE


@given(a_code, st.lists(st.sampled_from(["", " ", "-", "\u2013", "\u00a0", "."]), min_size=9, max_size=9))
def test_any_separators_between_symbols_are_ignored(code: str, between: list[str]) -> None:
    typed = "".join(separator + symbol for separator, symbol in zip(between, code, strict=True))
    assert codes.read(typed.lower()) == code


@given(a_code)
def test_a_shown_code_is_found_in_a_sentence(code: str) -> None:
    assert codes.read(f"Voici : {codes.show(code)}, à bientôt à la bibliothèque") == code


@pytest.mark.parametrize(
    ("text", "missing"),
    [("7K2-M9Q-X", 2), ("7", 8), ("7K2M9QXA", 1), ("https://portal.example.org/pass/7K2-M9Q?lang=fr", 3)],
)
def test_it_says_how_many_symbols_are_missing(text: str, missing: int) -> None:
    with pytest.raises(TooShort) as caught:
        codes.read(text)
    assert caught.value.missing == missing


def test_it_says_how_many_symbols_are_too_many() -> None:
    with pytest.raises(TooLong) as caught:
        codes.read("7K2-M9Q-XAHH")
    assert caught.value.surplus == 1


@pytest.mark.parametrize(
    ("text", "position", "symbol"),
    [
        ("7K2-O9Q-XAH", 4, "O"),
        ("7k2-m9q-xa1", 9, "1"),
        ("l", 1, "L"),
        ("0", 1, "0"),
        ("7K2-M9Q-IAH", 7, "I"),
        ("Voici votre code : 7K2-M9Q-XA0, merci", 9, "0"),
    ],
)
def test_it_names_a_look_alike_and_its_place(text: str, position: int, symbol: str) -> None:
    with pytest.raises(LookAlike) as caught:
        codes.read(text)
    assert (caught.value.position, caught.value.symbol) == (position, symbol)


@pytest.mark.parametrize("text", ["7K2-M9Q-XAJ", "K72-M9Q-XAH", "Voici votre code : 7K2-M9Q-XAJ, merci"])
def test_a_wrong_symbol_is_told_from_the_check(text: str) -> None:
    with pytest.raises(FailedCheck):
        codes.read(text)


@pytest.mark.parametrize("text", ["", "   ", "—", "?!", "Bonjour, je voudrais un pass pour demain", "\0"])
def test_a_text_without_a_code_is_told(text: str) -> None:
    with pytest.raises(NoCode):
        codes.read(text)


@given(st.text(max_size=200))
@example("A" * 100_000)
@example("7K2 " * 25_000)
def test_whatever_is_typed_gives_a_valid_code_or_a_refusal(text: str) -> None:
    try:
        code = codes.read(text)
    except codes.UnreadableCode:
        return
    assert codes.is_valid(code)


def test_codes_are_drawn_by_the_system_s_source_of_secrets() -> None:
    assert codes.make.__defaults__ == (secrets.choice,)
    source = Path(codes.__file__).read_text(encoding="utf-8")
    assert "import random" not in source


def test_many_codes_are_all_valid_and_all_different() -> None:
    made = [
        codes.make(random.Random(1).choice if number == 0 else secrets.choice) for number in range(20_000)
    ]
    assert len(set(made)) == len(made)
    assert all(map(codes.is_valid, made))


def test_no_code_spells_what_nobody_wants_to_read_aloud() -> None:
    bad = iter("PUTE2345" + "FUCK2345" + "2345X5EX" + "7K2M9QXA")
    assert codes.make(lambda _: next(bad)) == CODE
    assert all(set(word) <= set(ALPHABET) for word in codes.OBSCENE)
    assert codes.is_obscene("22A5S2222")


def test_the_example_on_the_page_is_no_code_that_could_be_guessed() -> None:
    with pytest.raises(codes.FailedCheck):
        codes.read(codes.EXAMPLE)
