"""What the bench says an act needs of any program: its form taken, and its very statements asked without it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, bindparam, insert, select, update
from sqlalchemy.orm import Session

from db.drivers import TransactionMode
from db.engine import async_commit, group_commit, make_session_maker
from db.prepared import Prepared
from lab.bench import answer, ceilings, replayed, statements
from lab.bench.bare import COMMITS
from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun
from lab.bench.portal import prepared
from lab.bench.recorded import Act, Answer, Call, Transaction, alike, recording
from tests.services.slapd import running_slapd

COUNT = Prepared(insert(COMMITS))
WRITE = Prepared(insert(COMMITS).returning(COMMITS.c.id))
RENAME = Prepared(update(COMMITS).where(COMMITS.c.id == bindparam("number")).values(text=bindparam("new")))
GROUP = TransactionMode.GROUP_COMMIT


@pytest.fixture
def table(engine: Engine) -> Iterator[Engine]:
    COMMITS.metadata.create_all(engine)
    yield engine
    COMMITS.metadata.drop_all(engine)


def test_recorded_acts_are_asked_again_each_with_its_own_rows(table: Engine, database_url: str) -> None:
    """The number of a row is another one then, and what was not sent with the next statement is not."""

    def count(db: Session) -> None:
        COUNT.later(db, text="counted")

    def connect(db: Session, guest: str) -> None:
        number = WRITE.later(db, text=guest).scalar()
        RENAME.later(db, number=number, new=f"{guest}, connected")

    make_session, acts = make_session_maker(table), list[Act]()
    with recording(table) as asked:
        for guest in ("Ada", "Bea", "Cem"):
            async_commit(make_session, count)
            group_commit(make_session, partial(connect, guest=guest))
            acts.append(list(asked))
            asked.clear()
    named = alike(acts)
    for act in named:
        first, second = act
        assert (first.mode, second.mode) == (TransactionMode.ASYNC_COMMIT, GROUP)
        assert [call.later for call in second.calls] == [False, table.dialect.name != "sqlite"]
        assert Answer(1, 0) in second.calls[1].values
    assert replayed.rate(database_url, named * 4, together=8, wait=lambda: None) > 0
    with table.connect() as connection:
        texts = connection.scalars(select(COMMITS.c.text)).all()
    assert {text: texts.count(text) for text in texts} == {
        "counted": 15,
        "Ada, connected": 5,
        "Bea, connected": 5,
        "Cem, connected": 5,
    }


def test_acts_that_asked_more_are_left_out_and_what_asked_nothing_is_no_transaction() -> None:
    plain = [[Transaction(GROUP, [Call("SELECT ?", (number,), (number,))])] for number in (1, 2)]
    aside: Act = [Transaction(TransactionMode.READING), *plain[0]]
    more: Act = [Transaction(GROUP, [*plain[0][0].calls, Call("SELECT 1", ())])]
    assert [len(act) for act in alike([*plain, aside, more])] == [1, 1, 1]


def test_a_value_that_all_acts_have_is_none_that_the_database_gave() -> None:
    def act(row: int) -> Act:
        return [Transaction(GROUP, [Call("a", (), (7, row)), Call("b", (7, row, "x"))])]

    for named in alike([act(1), act(2)]):
        assert named[0].calls[1].values == (7, Answer(0, 1), "x")


def test_the_emptiest_view_takes_a_form_and_a_cookie() -> None:
    browser = answer.app.test_client()
    browser.set_cookie("__Host-arobase", "sealed")
    assert browser.post("/signin", data={"visit": "sealed"}).status_code == 303
    assert browser.post("/signin", data={}).status_code == 400


def test_the_floor_of_an_act_is_its_form_and_its_statements() -> None:
    run = [
        Figure("bare posts, sqlite", 3000, "1/s"),
        Figure("bare directory, sqlite", 2000, "1/s"),
        Figure("renewals, sqlite, its statements alone", 6000, "1/s"),
        Figure("patron sign-in, sqlite, its statements alone", 6000, "1/s"),
        Figure("renewals, sqlite", 500, "1/s"),
        Figure("renewals, postgresql", 500, "1/s"),
    ]
    told = {figure.name: round(figure.value, 3) for figure in ceilings.shares(run)}
    # A sign-in asks the directory too. Of it no rate was measured, and of PostgreSQL no part.
    assert told == {
        "renewals, sqlite, floor": 2000,
        "renewals, sqlite, of the floor": 0.25,
        "patron sign-in, sqlite, floor": 1000,
    }


@pytest.mark.release
def test_the_statements_of_all_acts_are_measured_on_either_database(tmp_path: Path) -> None:
    result = {figure.name: figure for figure in statements.measure(tmp_path, statements.Sizes(24, 1))}
    assert list(result) == [
        f"{act}, {kind}, its statements alone"
        for kind in ("sqlite", "postgresql")
        for act in ("patron sign-in", "passes redeemed", "messages accepted to a lease", "renewals")
    ]
    assert all(figure.value > 0 and figure.unit == "1/s" for figure in result.values())


@pytest.mark.release
def test_acts_that_give_no_lease_are_no_figure(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.sqlite3'}"
    with (
        running_slapd(tmp_path / "slapd") as slapd,
        prepared(tmp_path, statements.URL, url, ldap=slapd.settings()) as services,
    ):
        cards = slapd.seed(len(statements.ACTS) * (statements.WARMING + 20) + 1)
        copy, acts = statements.record(services, cards, 20)
    tries = [act[:1] for act in acts["patron sign-in"]]
    with statements.Replaying() as replaying, pytest.raises(SpoiltRun, match="0 leases in the database"):
        replaying.rates(copy, {"patron sign-in": tries})
