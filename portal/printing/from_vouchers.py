"""From passes just issued to slips of paper. Only here do a code and its print meet: neither is kept."""

from __future__ import annotations

from collections.abc import Sequence

from auth.denials import N_
from auth.vouchers import codes, issuing
from auth.vouchers.models import Batch, PlanKind
from portal.i18n.last_moments import first_day, last_moment
from portal.i18n.translation import say_in
from portal.printing.logos import PrintedLogo
from portal.printing.tickets import PrintedVoucher
from portal.printing.wifi_qr import joining_uri
from portal.printing.words import TicketWords
from sites.models import Network, Site

_FROM_FIRST_USE = N_("good for %(length)s from the first use")
# Said so that it is true on whatever day the pass is used first.
ENDS = {
    PlanKind.UNTIL_MIDNIGHT: N_("good for one day, until midnight"),
    PlanKind.UNTIL_CLOSING: N_("good for one day, until closing time"),
    PlanKind.ROLLING_HOURS: _FROM_FIRST_USE,
    PlanKind.FIXED_MINUTES: _FROM_FIRST_USE,
}
BY_HAND = N_("Without a camera: choose the wifi %(ssid)s, open %(address)s and type the code.")


def slips(
    passes: Sequence[issuing.IssuedVoucher],
    *,
    batch: Batch,
    network: Network,
    site: Site,
    portal_url: str,
    languages: tuple[str, ...],
    logo: PrintedLogo | None = None,
) -> list[PrintedVoucher]:
    """What to print for these passes of `batch`, which comes with its plan, to be used on `network` at `site`.

    The visitor's own language is the first. The note of the batch is the desk's own and is not printed: whoever holds a
    ticket reads what stands on it.
    """
    address = f"{portal_url.rstrip('/')}/pass"
    words = {
        language: ticket_words(
            language,
            end=say_end(batch, language, site.zone),
            ssid=network.ssid,
            address=address.partition("://")[2],
        )
        for language in languages
    }
    join = joining_uri(network.ssid)
    return [
        PrintedVoucher(
            code=codes.show(one.code),
            redeem_url=f"{address}/{one.code}".upper(),
            ssid=network.ssid,
            join=join,
            words=words,
            place=site.name_in(languages[0]),
            event=batch.event,
            mark=one.mark,
            logo=logo,
        )
        for one in passes
    ]


def ticket_words(language: str, *, end: str, ssid: str, address: str) -> TicketWords:
    """What a ticket says in this language; `end` is said in it already."""
    return TicketWords(
        wifi=say_in(language, "Wifi"),
        join=say_in(language, "Join the wifi"),
        redeem=say_in(language, "Open your pass"),
        by_hand=say_in(language, BY_HAND, ssid=ssid, address=address),
        end=end,
    )


def say_end(batch: Batch, language: str, zone: str) -> str:
    """Until when a pass of this batch is good, in few words, and its first day and calendar end in `zone` if there are.

    The desk's page tells the same instant in the same words.
    """
    plan = batch.plan
    said = say_in(language, ENDS[plan.kind], length=_length(plan.length_minutes, language))
    first = first_day(batch.starts_at, zone, language, since=batch.issued_at) if batch.starts_at else ""
    if batch.ends_at is None:
        return say_in(language, "%(end)s, from %(day)s on", end=said, day=first) if first else said
    moment = last_moment(batch.ends_at, zone, language, since=batch.issued_at)
    if first:
        return say_in(language, "%(end)s, from %(day)s to %(moment)s", end=said, day=first, moment=moment)
    return say_in(language, "%(end)s, to be used until %(moment)s", end=said, moment=moment)


def _length(minutes: int, language: str) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [say_in(language, "%(hours)s h", hours=hours)] if hours else []
    if rest or not hours:
        parts.append(say_in(language, "%(minutes)s min", minutes=rest))
    return " ".join(parts)
