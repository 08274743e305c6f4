from __future__ import annotations

from pathlib import Path

import pytest

from lab import doors, staff
from lab.hotspot import PORTAL_URL, hotspot, now
from lab.journeys import Tour, patron_signs_in, staff_ends_a_session
from lab.network import Phone
from lab.report import Report, StepFailed, until
from lab.tour import compress
from lab.visitor import visitor_has_a_day_pass
from tests.services.advertisements import SOLICITATION, ear, hear, options
from tests.services.parts import program
from tests.services.town import opened


def announced(phone: Phone) -> str:
    """What the agent says of the portal in its router advertisements."""
    with ear(phone) as port:
        while True:
            port.sendto(SOLICITATION, ("ff02::2", 0))
            found = options(hear(port)[0]).get(37)
            if found is not None:
                return found.rstrip(b"\0").decode()


@pytest.mark.netns
def test_a_patron_signs_in_staff_end_the_session_and_a_visitor_has_a_day_on_real_parts(
    tmp_path: Path,
) -> None:
    """Portal over https, agent, nftables, dnsmasq: three of the tour's journeys, the quick ones."""
    for part in ("dnsmasq", "openssl"):
        program(part)
    with opened():
        pass
    report = Report()
    with hotspot(tmp_path, [doors.LIBRARY]) as place:
        compress(place)
        staff.hire(place.services, at=now())
        place.start()
        guest = place.guest(place.net.phone[0])
        tour = Tour(place, report, guest, guest, guest, stranger=place.net.phone[0])
        patron_signs_in(tour)
        assert announced(guest.phone) == f"{PORTAL_URL}/capport/{doors.LIBRARY.identity}"
        staff_ends_a_session(tour)
        visitor_has_a_day_pass(tour)
    assert report.held == 30
    assert report.failed == 0


def test_a_step_that_does_not_hold_ends_its_journey_and_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report()
    report.step("water is wet", True, "100 %")
    with pytest.raises(StepFailed):
        report.step("pigs fly", False)
    assert (report.held, report.failed) == (1, 1)
    assert "ok   water is wet: 100 %" in capsys.readouterr().out


def test_waiting_forgives_what_the_network_refuses_until_the_time_is_over() -> None:
    answers = iter([OSError("not yet"), False, "there"])

    def look() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert until(look, 5)[0] == "there"
