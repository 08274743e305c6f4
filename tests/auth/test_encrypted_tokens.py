"""Tokens that nobody else can read: whole or refused, for one purpose, for their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.encrypted_tokens import EncryptedTokens
from auth.tokens import ExpiredToken, InvalidToken
from config import Secret

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOKENS = EncryptedTokens(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))


def test_the_owner_reads_what_was_written_and_nobody_else_does() -> None:
    token = TOKENS.encrypt("kept", {"code": "7K2M9QXAH"}, now=NOW, life=HOUR)
    assert TOKENS.decrypt("kept", token, now=NOW)["code"] == "7K2M9QXAH"
    assert "7K2M9QXAH" not in token
    assert token != TOKENS.encrypt("kept", {"code": "7K2M9QXAH"}, now=NOW, life=HOUR)


@pytest.mark.parametrize("purpose", ["other", "kept"])
def test_another_purpose_or_installation_reads_nothing(purpose: str) -> None:
    other = EncryptedTokens(Secret("ABCDEF0123456789abcdefghijklmnopqrstuvwxyz"))
    token = (TOKENS if purpose == "other" else other).encrypt("kept", {}, now=NOW, life=HOUR)
    with pytest.raises(InvalidToken):
        TOKENS.decrypt(purpose, token, now=NOW)


def test_one_changed_symbol_spoils_it() -> None:
    token = TOKENS.encrypt("kept", {"code": "7K2M9QXAH"}, now=NOW, life=HOUR)
    # Of the last symbol two or four bits say nothing.
    assert len(token) % 4
    for place in [*range(0, len(token), 7), len(token) - 1]:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        other = alphabet[alphabet.index(token[place]) ^ 1]
        changed = token[:place] + other + token[place + 1 :]
        with pytest.raises(InvalidToken):
            TOKENS.decrypt("kept", changed, now=NOW)


@pytest.mark.parametrize("junk", ["", "x", "é", "a" * 3000, "====", "..."])
def test_what_is_no_token_is_refused(junk: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.decrypt("kept", junk, now=NOW)


def test_it_dies_by_itself() -> None:
    token = TOKENS.encrypt("kept", {}, now=NOW, life=HOUR)
    TOKENS.decrypt("kept", token, now=NOW + HOUR - timedelta(seconds=1))
    with pytest.raises(ExpiredToken):
        TOKENS.decrypt("kept", token, now=NOW + HOUR)
