"""From passes just issued to slips of paper. Only here do a code and its print meet: neither is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auth.vouchers import codes, issuing
from auth.vouchers.models import Batch, PlanKind
from portal.i18n.last_moments import last_moment
from portal.printing.tickets import PrintedVoucher
from portal.printing.wifi_qr import joining_uri
from sites.models import Network, Site

# Said so that it is true on whatever day the pass is used first.
ENDS: Mapping[str, Mapping[PlanKind, str]] = {
    "fr": {
        PlanKind.UNTIL_MIDNIGHT: "valable un jour, jusqu’à minuit",
        PlanKind.UNTIL_CLOSING: "valable un jour, jusqu’à la fermeture",
        PlanKind.ROLLING_HOURS: "valable {length} dès la première connexion",
        PlanKind.FIXED_MINUTES: "valable {length} dès la première connexion",
    },
    "en": {
        PlanKind.UNTIL_MIDNIGHT: "good for one day, until midnight",
        PlanKind.UNTIL_CLOSING: "good for one day, until closing time",
        PlanKind.ROLLING_HOURS: "good for {length} from the first use",
        PlanKind.FIXED_MINUTES: "good for {length} from the first use",
    },
    "de": {
        PlanKind.UNTIL_MIDNIGHT: "einen Tag gültig, bis Mitternacht",
        PlanKind.UNTIL_CLOSING: "einen Tag gültig, bis zur Schließung",
        PlanKind.ROLLING_HOURS: "{length} ab der ersten Nutzung gültig",
        PlanKind.FIXED_MINUTES: "{length} ab der ersten Nutzung gültig",
    },
}
UNTIL = {
    "fr": ", utilisable jusqu’à {moment}",
    "en": ", to be used until {moment}",
    "de": ", verwendbar bis {moment}",
}
LANGUAGES = tuple(ENDS)


def slips(
    passes: Sequence[issuing.IssuedVoucher],
    *,
    batch: Batch,
    network: Network,
    site: Site,
    portal_url: str,
    languages: tuple[str, ...] = ("fr", "en"),
) -> list[PrintedVoucher]:
    """What to print for these passes of `batch`, which comes with its plan, to be used on `network` at `site`.

    The languages are some of `LANGUAGES`, the visitor's own first. The note of the batch is the desk's own and is not
    printed: whoever holds a ticket reads what stands on it.
    """
    ends = {language: say_end(batch, language, site.zone) for language in languages}
    join = joining_uri(network.ssid)
    return [
        PrintedVoucher(
            code=codes.show(one.code),
            redeem_url=f"{portal_url.rstrip('/')}/pass/{one.code}".upper(),
            ssid=network.ssid,
            join=join,
            ends=ends,
            place=site.name,
            event=batch.event,
            mark=one.mark,
            languages=languages,
        )
        for one in passes
    ]


def say_end(batch: Batch, language: str, zone: str) -> str:
    """Until when a pass of this batch is good, in few words, and the calendar end in `zone` if there is one.

    The desk's page tells the same instant in the same words.
    """
    plan = batch.plan
    said = ENDS[language][plan.kind].format(length=_length(plan.length_minutes, language))
    if batch.ends_at is None:
        return said
    moment = last_moment(batch.ends_at, zone, language, since=batch.issued_at)
    return said + UNTIL[language].format(moment=moment)


def _length(minutes: int, language: str) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not hours else parts)
