"""What a new gateway's machine is told before anything is written on it."""

from __future__ import annotations

import pytest

from gateways.nftables.enrol import Enrolment, NotFound, settings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_portal_that_only_this_machine_reaches_is_refused_with_what_to_do(host: str) -> None:
    wish = Enrolment(f"http://{host}:8080", "granvelle", (), client_interface="lan0", uplink_interface="wan0")
    with pytest.raises(NotFound, match="which no guest reaches: let it lead to"):
        settings(wish)
