from __future__ import annotations

import threading
from datetime import date

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from auth.bulkhead import Bulkhead
from auth.errors import BlockedCard, DirectoryUnavailable, ExpiredCard, WrongCredentials
from auth.patrons.csv_import import import_patrons
from auth.patrons.directory import Directory, DirectoryEntry, Patron
from auth.patrons.local import HASHER, EmbeddedDirectory, PatronRecord, hash_secret, opens
from db.engine import SessionMaker

pytestmark = pytest.mark.usefixtures("real_passwords")
TODAY = date(2026, 9, 1)
CARDS = """card,pin,category,expires_on,blocked
AB-29 001,1234,adult,2027-08-31,false
29002,the right one,child,2026-06-30,
29003,another right one,,,true
"""


@pytest.fixture
def directory(make_session: SessionMaker) -> EmbeddedDirectory:
    with make_session.begin() as db:
        import_patrons(db, CARDS)
    return EmbeddedDirectory(make_session)


def sign_in(directory: Directory, login: str, secret: str) -> Patron:
    return directory.prove(directory.find(login), secret, today=TODAY)


def test_a_patron_with_the_right_pin_is_proven(directory: EmbeddedDirectory) -> None:
    patron = sign_in(directory, "AB29001", "1234")
    assert (patron.category, patron.expires_on, patron.blocked) == ("adult", date(2027, 8, 31), False)


@pytest.mark.parametrize("login", ["ab29001", "AB-29 001", " ａｂ２９００１ "])
def test_every_spelling_is_one_person(directory: EmbeddedDirectory, login: str) -> None:
    assert sign_in(directory, login, "1234").stable_id == sign_in(directory, "AB29001", "1234").stable_id


@pytest.mark.parametrize("login", ["AB29001", "29999"])
def test_an_unknown_card_and_a_wrong_pin_are_one_answer(directory: EmbeddedDirectory, login: str) -> None:
    with pytest.raises(WrongCredentials) as refused:
        sign_in(directory, login, "4321")
    assert str(refused.value) == ""


def test_an_unknown_card_costs_the_same_hash(directory: EmbeddedDirectory) -> None:
    nobody, somebody = directory.find("29999"), directory.find("AB29001")
    assert nobody.stable_id is None
    # Kind and cost, up to the salt, are the same.
    assert nobody.verifier.split("$")[:4] == somebody.verifier.split("$")[:4]
    assert "m=19456,t=2,p=1" in nobody.verifier
    assert [len(part) for part in nobody.verifier.split("$")] == [
        len(part) for part in somebody.verifier.split("$")
    ]
    # It is tried to the end, and not given up as malformed.
    with pytest.raises(VerifyMismatchError):
        HASHER.verify(nobody.verifier, "4321")


def test_a_start_waits_for_no_hash(make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(PasswordHasher):
        hashed = 0

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            Counting.hashed += 1
            return super().hash(password, salt=salt)

    monkeypatch.setattr("auth.patrons.local.HASHER", Counting())
    directory = EmbeddedDirectory(make_session)
    assert Counting.hashed == 0
    hash_secret("1234")
    assert Counting.hashed == 1
    assert directory.find("29999").verifier != EmbeddedDirectory(make_session).find("29999").verifier


def test_no_secret_opens_an_unknown_card(directory: EmbeddedDirectory) -> None:
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29999", "nobody has this card")
    known = directory.find("AB29001")
    with pytest.raises(WrongCredentials):
        directory.prove(DirectoryEntry(known.login, None, known.verifier), "1234", today=TODAY)


@pytest.mark.parametrize("nothing", ["", " ", "\0", "\u00ad", "\u200b\ufeff", "x" * 1_000_000])
def test_it_refuses_what_is_no_secret_and_no_login(directory: EmbeddedDirectory, nothing: str) -> None:
    with pytest.raises(WrongCredentials):
        directory.find(nothing)
    with pytest.raises(WrongCredentials):
        sign_in(directory, "AB29001", nothing)


def test_states_are_told_after_the_right_pin_only(directory: EmbeddedDirectory) -> None:
    with pytest.raises(ExpiredCard) as expired:
        sign_in(directory, "29002", "the right one")
    assert expired.value.on == date(2026, 6, 30)
    with pytest.raises(BlockedCard):
        sign_in(directory, "29003", "another right one")
    for card in ("29002", "29003"):
        with pytest.raises(WrongCredentials):
            sign_in(directory, card, "a wrong one")


def test_a_card_is_valid_on_its_last_day(directory: EmbeddedDirectory) -> None:
    assert directory.prove(directory.find("29002"), "the right one", today=date(2026, 6, 30))


def test_a_hash_that_cannot_be_read_opens_to_nobody(
    directory: EmbeddedDirectory, make_session: SessionMaker
) -> None:
    with make_session.begin() as db:
        db.add(PatronRecord(card="29004", secret_hash="1234", blocked=False))
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29004", "1234")


def test_hashing_takes_one_core_and_a_crowd_is_told_to_come_back(
    directory: EmbeddedDirectory, make_session: SessionMaker
) -> None:
    narrow = EmbeddedDirectory(make_session, queue=0)
    found = narrow.find("AB29001")
    bulkhead: Bulkhead = narrow._hashing
    with bulkhead.slot():
        with pytest.raises(DirectoryUnavailable):
            narrow.prove(found, "1234", today=TODAY)
        # What is no secret is not even hashed.
        with pytest.raises(WrongCredentials):
            narrow.prove(found, "\u200b", today=TODAY)
    assert narrow.prove(found, "1234", today=TODAY)


def test_a_short_crowd_is_served_in_turn(directory: EmbeddedDirectory, make_session: SessionMaker) -> None:
    patient = EmbeddedDirectory(make_session, wait_seconds=60)
    served: list[str] = []
    threads = [
        threading.Thread(target=lambda: served.append(sign_in(patient, "AB29001", "1234").stable_id))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served) == 6


def test_what_was_found_shows_no_hash_by_accident(directory: EmbeddedDirectory) -> None:
    assert "argon2" not in repr(directory.find("AB29001"))


def test_a_pin_typed_in_two_pieces_is_one() -> None:
    """Apple's keyboards send é as e and an accent, and its spreadsheets save it so."""
    composed, apart = "é²", "e\u0301²"
    for kept, typed in ((composed, apart), (apart, composed)):
        assert opens(hash_secret(kept), typed)
    assert not opens(hash_secret("é2"), composed)
