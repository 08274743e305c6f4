"""The server that takes our mail, as an operator names it."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config.addresses import LOOPBACK, read_host
from config.reader import Reader, Secret

_EXAMPLE = "smtp://user@mail.example.org:587"
# An address as it goes into a header and an envelope: one, without a name, in ASCII (RFC 5321 section 4.1.2).
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[^@\s]+)"
)


class MailSecurity(enum.StrEnum):
    """How the line to the server is secured, by the scheme of its address."""

    # STARTTLS before anything else is said (RFC 3207), on the port for submission (RFC 6409).
    STARTTLS = "smtp"
    # TLS from the first byte (RFC 8314 section 3.3).
    TLS = "smtps"
    # A relay on this machine.
    NONE = "smtp+plain"


_PORTS = {MailSecurity.STARTTLS: 587, MailSecurity.TLS: 465, MailSecurity.NONE: 25}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mail is handed over, and as whom. `sender` is the address that it comes from."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    # The authorities that may have signed the server's certificate; None: the system's.
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    security: MailSecurity
    user: str
    password: str


def read_mail_address(text: str) -> str:
    """One address for mail, its domain in ASCII and small letters. Raises ValueError."""
    found = _ADDRESS.fullmatch(text)
    wrong = f"must be one address such as wifi@example.org, not {text[:80]!r}"
    if found is None or len(text) > 254 or found.start("domain") > 65:
        raise ValueError(wrong)
    try:
        domain = read_host(found["domain"])
    except ValueError:
        raise ValueError(wrong) from None
    if "." not in domain or domain.replace(".", "").isdigit():
        raise ValueError(wrong)
    return text[: found.start("domain")] + domain


def read_smtp(reader: Reader, ca_file: Path | None) -> SmtpSettings | None:
    """The settings of mail together; None where there is no server."""
    server = reader.parsed("SMTP_URL", _server)
    sender = reader.parsed("MAIL_FROM", read_mail_address)
    password = reader.secret("SMTP_PASSWORD", strip=False)
    if reader.optional("SMTP_URL") is None:
        for name, value in (("MAIL_FROM", sender), ("SMTP_PASSWORD", password), ("SMTP_CA_FILE", ca_file)):
            if value:
                reader.fault(name, "is of no use without AROBASE_SMTP_URL.")
        return None
    if server is None:
        return None
    if sender is None and reader.optional("MAIL_FROM") is None:
        reader.fault("MAIL_FROM", "is missing: mail comes from an address, such as wifi@example.org.")
    if server.password and password:
        reader.fault("SMTP_PASSWORD", "stands in AROBASE_SMTP_URL, too: keep one.")
    if password and not server.user:
        reader.fault(
            "SMTP_PASSWORD", f"belongs to nobody: AROBASE_SMTP_URL names the user, as in {_EXAMPLE}."
        )
    return SmtpSettings(
        host=server.host,
        port=server.port,
        security=server.security,
        sender=sender or "",
        user=server.user,
        password=password or Secret(server.password),
        ca_file=ca_file,
    )


def _server(text: str) -> _Server:
    """What is wrong is told without repeating a password."""
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in list(MailSecurity):
        raise ValueError(f"must begin with smtp:// (STARTTLS), smtps:// or smtp+plain://: like {_EXAMPLE}")
    escape = "a sign such as @ : / ? # or % in user or password is written %40 %3A %2F %3F %23 %25"
    try:
        parts = urlsplit(text)
        port = parts.port
        host = read_host(parts.hostname or "")
    except ValueError:
        raise ValueError(f"has no port or host that can be; {escape}") from None
    if parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise ValueError(f"holds more than user, password, host and port: like {_EXAMPLE}; {escape}")
    security = MailSecurity(scheme)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isprintable():
        raise ValueError(f"has a user or a password with signs that do not print; {escape}")
    if security is MailSecurity.NONE and (host not in LOOPBACK or user):
        raise ValueError(
            "may be smtp+plain:// only for a relay on 127.0.0.1 or localhost, and without user: elsewhere "
            f"everybody on the way would read it; like {_EXAMPLE}"
        )
    return _Server(host.strip("[]"), port or _PORTS[security], security, user, password)
