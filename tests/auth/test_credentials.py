from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import WrongCredentials
from auth.patrons.login_names import check_login, check_secret, normalise_login

# Each of these is nothing, looks like nothing, or becomes nothing on the way to the server.
NOTHINGS = [
    None, "", " ", "\t", "\0", "\u00ad", "\u200b", "\u2060", "\ufeff", "\u200b\u00ad\ufeff", "\u00a0\u3000",
    "\u3164", "\uffa0", "\u2800", "\u180e", "\ufe0f", "\u034f", "\u202e", "\ud800",
    "x" * 257, "x" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHINGS, ids=lambda text: ascii(text)[:24])
def test_it_refuses_what_is_no_secret_and_no_login(text: str | None) -> None:
    with pytest.raises(WrongCredentials):
        check_secret(text)
    with pytest.raises(WrongCredentials):
        check_login(text)


@pytest.mark.parametrize("text", ["12\x0034", "1234\n", "12\ud80034", "\x7f1234"])
def test_it_refuses_a_control_character_anywhere(text: str) -> None:
    with pytest.raises(WrongCredentials):
        check_secret(text)


@pytest.mark.parametrize("text", ["1234", " 1234 ", "café", "पिन", "🙂", "x" * 256])
def test_it_lets_a_secret_through_unchanged(text: str) -> None:
    assert check_secret(text) == text


@pytest.mark.parametrize("text", ["-", " - ", "‐‑–—"])
def test_it_refuses_a_login_of_hyphens_alone(text: str) -> None:
    with pytest.raises(WrongCredentials):
        check_login(text)


@pytest.mark.parametrize(
    "spelling",
    [
        "ab29001",
        "AB29001",
        " ab29001 ",
        "AB-29 001",
        "ＡＢ２９００１",
        "ab\u00ad29001",
        "ab‑29001",
        "ａｂ－２９００１",
    ],
)
def test_it_folds_every_spelling_of_a_card_to_one(spelling: str) -> None:
    assert normalise_login(check_login(spelling)) == "ab29001"


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert normalise_login(normalise_login(text)) == normalise_login(text)


@given(st.text(max_size=300))
def test_it_either_refuses_a_login_or_finds_something_in_it(text: str) -> None:
    try:
        typed = check_login(text)
    except WrongCredentials:
        return
    assert normalise_login(typed)
