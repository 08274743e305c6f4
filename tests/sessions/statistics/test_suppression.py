"""Small counts are not shown, and cannot be worked out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.statistics.definitions import FEWEST_SHOWN
from sessions.statistics.suppression import Disclosure, protect


def shown(*counts: int) -> tuple[str, str]:
    """How the parts are shown, a letter each, and their total."""
    letters = {Disclosure.OPENLY: "o", Disclosure.SMALL: "s", Disclosure.WITHHELD: "w"}
    found = protect(dict(enumerate(counts)))
    return "".join(letters[found[number]] for number in range(len(counts))), letters[found.total]


def test_what_is_large_enough_is_shown() -> None:
    assert shown(5, 12, 300) == ("ooo", "o")


def test_nobody_is_behind_a_zero() -> None:
    assert shown(0, 12, 0) == ("ooo", "o")


def test_one_small_count_takes_the_next_smallest_with_it() -> None:
    assert shown(300, 3, 12, 40) == ("oswo", "o")


def test_two_small_counts_protect_each_other_where_they_are_enough() -> None:
    assert shown(3, 2, 40) == ("sso", "o")
    assert shown(1, 2, 40, 50) == ("sswo", "o")


def test_a_zero_protects_nobody() -> None:
    assert shown(3, 0, 40) == ("sow", "o")


def test_where_nothing_is_left_to_hide_the_total_goes_too() -> None:
    assert shown(3, 0) == ("so", "s")
    assert shown(1, 2) == ("ss", "s")


def test_what_was_hidden_elsewhere_stays_hidden() -> None:
    found = protect({"a": 30, "b": 40, "c": 50}, beforehand={"c": Disclosure.WITHHELD})
    assert found.parts == {"a": Disclosure.WITHHELD, "b": Disclosure.OPENLY, "c": Disclosure.WITHHELD}


def test_a_total_that_equals_the_one_part_hidden_is_withheld_with_it() -> None:
    found = protect({"a": 30, "b": 0}, beforehand={"a": Disclosure.WITHHELD})
    assert (found["b"], found.total) == (Disclosure.OPENLY, Disclosure.WITHHELD)


@settings(max_examples=300)
@given(st.lists(st.integers(min_value=0, max_value=60), min_size=1, max_size=9))
def test_no_total_gives_a_small_count_away(counts: list[int]) -> None:
    """Whoever subtracts what is shown from the total learns of two parts together at least, and of five devices."""
    found = protect(dict(enumerate(counts)))
    hidden = [n for number, n in enumerate(counts) if found[number] is not Disclosure.OPENLY]
    assert all(n not in range(1, FEWEST_SHOWN) or n in hidden for n in counts)
    if found.total is Disclosure.OPENLY and hidden:
        assert len(hidden) >= 2
        assert (
            sum(counts) - sum(n for number, n in enumerate(counts) if found[number] is Disclosure.OPENLY)
            >= FEWEST_SHOWN
        )
        assert all(hidden)
