"""The code that gives a device with a new address the rest of its time: short, made from a key, and kept as a digest.

Eight symbols of the alphabet of vouchers. Seven come from the installation's key and from where, by which card and when
somebody landed (34.7 bits); the eighth makes every single wrong symbol known without asking the database. The portal
makes it anew wherever it shows it, so that it can stand on the page before the grant and is stored nowhere.

Guessing: a network hears `OF_NETWORK` wrong codes in a quarter of an hour, 9,600 a day. With 10,000 sessions open on
it, one of them is found by chance in about 290 days, and gives what is left of one stay.
"""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus

from auth.denials import N_, Incident, declare
from auth.errors import AuthError
from auth.keyed_hashes import KeyedHash
from auth.rate_limits import RateLimit
from auth.vouchers.codes import ALPHABET, check_symbol, fold, is_obscene
from config import Secret

RANDOM_SYMBOLS = 7
LENGTH = RANDOM_SYMBOLS + 1
LONGEST_READ = 500
OF_CLIENT, OF_NETWORK = 5, 100
_IN_ADDRESS = re.compile(r"/RESUME/([^/?#\s]+)")
_SYMBOLS = re.compile(r"[A-Z0-9]+")


class UnreadableResumeCode(AuthError):
    """What was typed cannot be such a code. No database was asked, and it counts as no attempt."""

    reason = declare(
        "unreadable_resume_code",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("A character is wrong or missing."),
        N_("The code has 8. They are never 0, O, 1, I or L."),
        incident=Incident(
            N_("Resume code mistyped"),
            N_("What was typed cannot be the code that gives the rest of the time. Nothing was looked up."),
            N_("Compare with the note, character by character; or simply get online again."),
            report=N_("Resume code mistyped"),
        ),
        form_field="code",
    )


class UnknownResumeCode(AuthError):
    """No open session of this network has the code: never, not any more, or gone on already. One answer for all."""

    reason = declare(
        "unknown_resume_code",
        HTTPStatus.FORBIDDEN,
        N_("This code gives no time here."),
        N_("It is good until your time ends, on the same wifi, and once. You can get online anew."),
        incident=Incident(
            N_("Resume code without time"),
            N_("The code is well formed, and no open session of this network has it."),
            N_("The person can get online anew: with card, pass or message."),
            report=N_("Resume code unknown"),
        ),
    )


class ResumeCodes:
    """Makes the codes, and the digests by which sessions are found, with keys from the installation's secret."""

    def __init__(self, secret: Secret) -> None:
        own = KeyedHash(secret.reveal().encode())
        self._codes = KeyedHash(own.of(b"arobase resume codes"))
        self._digests = KeyedHash(own.of(b"arobase resume digests"))

    def of(self, network: str, mac: str, landed_at: datetime) -> str:
        """The code of whoever landed then, to the second, on this network (slug) with this card."""
        attempt = 0
        while True:
            message = f"{network}\0{mac}\0{int(landed_at.timestamp())}\0{attempt}".encode()
            number = int.from_bytes(self._codes.of(message))
            body = ""
            for _ in range(RANDOM_SYMBOLS):
                number, index = divmod(number, len(ALPHABET))
                body += ALPHABET[index]
            code = body + check_symbol(body)
            if not is_obscene(code):
                return code
            attempt += 1

    def digest(self, network: str, code: str) -> str:
        """What a session keeps of its code: 64 hexadecimal digits, of use on this network alone."""
        return self._digests.of(f"{network}\0{code}".encode()).hex()


def show(code: str) -> str:
    """The code as pages show it: ``R7K2-M9QX``."""
    return f"{code[:4]}-{code[4:]}"


def read(text: str) -> str:
    """The code in what was typed or pasted, whatever its case, width, spaces and hyphens; its link too.

    Raises `UnreadableResumeCode`.
    """
    folded = fold(text[:LONGEST_READ])
    if found := _IN_ADDRESS.search(folded):
        folded = found[1]
    code = "".join(_SYMBOLS.findall(folded))
    is_whole = len(code) == LENGTH and all(symbol in ALPHABET for symbol in code)
    if not is_whole or check_symbol(code[:-1]) != code[-1]:
        raise UnreadableResumeCode
    return code


def limits(network: str, mac: str) -> list[RateLimit]:
    """What wrong codes are charged to: the client that tries, and its network."""
    return [
        RateLimit(f"resume:client:{network}:{mac}", most=OF_CLIENT),
        RateLimit(f"resume:network:{network}", most=OF_NETWORK),
    ]
