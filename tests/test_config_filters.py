"""The parser of filters agrees with ldap3's, which is what will send them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.core.exceptions import LDAPInvalidFilterError
from ldap3.operation.search import parse_filter

from config.filters import check_filter

_items = st.sampled_from(
    ["(uid={login})", "(mail={login}@a.fr)", "(a=*)", "(a=b*c*)", "(a>=1)", "(a~=b)", "(a:dn:=x)", "(a;lang-fr=\\2a)",
     "(memberOf:1.2.840.113556.1.4.1941:=cn=x)"]
)  # fmt: skip
_filters = st.recursive(
    _items,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3)).map(
            lambda parts: f"({parts[0]}{''.join(parts[1])})"
        ),
        inner.map(lambda one: f"(!{one})"),
    ),
    max_leaves=6,
)


@given(_filters)
def test_what_is_right_is_taken_and_can_be_sent(text: str) -> None:
    whole = f"(&(uid={{login}}){text})"
    check_filter(whole)
    assert parse_filter(whole.replace("{login}", "x"), None, False, False, None, False)


@settings(max_examples=300)
@given(_filters, st.data())
def test_what_is_taken_can_always_be_sent(text: str, data: st.DataObject) -> None:
    """One character taken out, put in or doubled: what passes here must pass there."""
    whole = f"(&(uid={{login}}){text})"
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.sampled_from(["", "(", ")", "&", "!", "\\", "=", " "]))
    broken = whole[:at] + change + whole[at + data.draw(st.integers(0, 1)) :]
    try:
        check_filter(broken)
    except ValueError:
        return
    try:
        parse_filter(broken.replace("{login}", "x"), None, False, False, None, False)
    except LDAPInvalidFilterError as error:
        pytest.fail(f"{broken}: {error}")
