"""What an authenticator takes in: as a drawing to scan, and as a key to type."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from auth.staff.models import Staff
from auth.staff.totp import as_base32, enrolment_uri
from portal.i18n.translation import say
from portal.printing.qr import svg_of
from portal.services import services


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The second factor's secret of one account, for its owner's eyes."""

    drawing: Markup
    key: str

    @classmethod
    def of(cls, person: Staff) -> Enrolment:
        service = services()
        secret = service.staff.totp_secret(person.totp_seed)
        uri = enrolment_uri(secret, login=person.login, issuer=f"Arobase {service.settings.town}")
        text = as_base32(secret)
        fours = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
        return cls(svg_of(uri, say("Code to scan with your authenticator")), fours)
