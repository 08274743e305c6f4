"""One message to one person, handed to the town's own mail server (RFC 5321, RFC 6409).

Nothing of it is kept or logged: neither the address nor what was written.
"""

from __future__ import annotations

import base64
import contextlib
import smtplib
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from unicodedata import category

from auth.patrons.ldap.connection import BrokenConnection, DeadlineSocket, connect, explain
from config import MailSecurity, SmtpSettings
from config.authorities import read_authorities
from config.smtp import read_mail_address

# For the whole dialogue, name lookup and TLS included.
DEADLINE_SECONDS = 20.0


class MailError(Exception):
    """The message was not handed over. `reason` is for the operator, and names no recipient."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongRecipient(MailError):
    """This address cannot be written to: it is none, or the server refuses it for good."""


class UncertainDelivery(MailError):
    """The line broke after the message and before the server's answer: it may have been taken."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message. `kind` is its media type, such as application/pdf."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What one person is sent. A subject with a line break is refused, never folded into another header."""

    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


def send(
    smtp: SmtpSettings, message: Message, *, now: datetime, deadline_seconds: float = DEADLINE_SECONDS
) -> None:
    """Hand `message` over, within `deadline_seconds` for everything together.

    Raises `WrongRecipient`, `UncertainDelivery` or another `MailError`.
    """
    recipient = _recipient(message.to)
    content = _content(smtp.sender, recipient, message, now)
    client = _Client(smtp, time.monotonic() + deadline_seconds)
    try:
        client.open()
        client.deliver(smtp.sender, recipient, content)
        client.leave()
    except smtplib.SMTPServerDisconnected as error:
        raise MailError(
            f"the mail server could not be asked: {explain(client.failure or ConnectionResetError()).reason}"
        ) from error
    except smtplib.SMTPException as error:
        raise MailError(f"the mail server {_words(error)}") from error
    except (OSError, BrokenConnection) as error:
        raise MailError(f"the mail server could not be asked: {explain(error).reason}") from error
    finally:
        client.close()


def _recipient(text: str) -> str:
    try:
        return read_mail_address(text)
    except ValueError as error:
        raise WrongRecipient("this is no address that mail can go to") from error


def _content(sender: str, recipient: str, message: Message, now: datetime) -> bytes:
    """The message with its headers (RFC 5322). Raises `MailError` where a header would hold a line break."""
    # Not isprintable(): the no-break space of French is none.
    if any(category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in message.subject):
        raise MailError("the subject holds a line break or a control character")
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, message.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    # No holiday notice comes back (RFC 3834 section 5).
    mail["Auto-Submitted"] = "auto-generated"
    # Quoted-printable: no line of the text reaches the server as typed, a lone dot or carriage return included.
    mail.set_content(message.text, cte="quoted-printable")
    for one in message.attachments:
        main, _, sub = one.kind.partition("/")
        mail.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
    return mail.as_bytes()


class _Client(smtplib.SMTP):
    """smtplib's dialogue over a line on which everything ends by one deadline."""

    def __init__(self, smtp: SmtpSettings, deadline: float) -> None:
        # With a name of our own, smtplib asks no name service for it.
        super().__init__(local_hostname=smtp.sender.rpartition("@")[2])
        self._smtp = smtp
        self._deadline = deadline
        self._line: DeadlineSocket | None = None

    def open(self) -> None:
        """Connect, secure the line, and sign in where a user is named."""
        code, _ = self.connect(self._smtp.host, self._smtp.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")
        if self._smtp.security is MailSecurity.STARTTLS:
            self._start_tls()
        self.ehlo_or_helo_if_needed()
        if self._smtp.user:
            self._sign_in(self._smtp.user, self._smtp.password.reveal())

    def deliver(self, sender: str, recipient: str, content: bytes) -> None:
        """The envelope, then the message (RFC 5321 section 3.3)."""
        code, answer = self.mail(sender, [f"size={len(content)}"] if self.has_extn("size") else [])
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, answer, sender)
        code, answer = self.rcpt(recipient)
        if code not in (250, 251):
            raise (WrongRecipient if code >= 500 else MailError)(
                f"the mail server refuses the recipient ({_code(code, answer)})"
            )
        try:
            code, answer = self.data(content)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise UncertainDelivery("the mail server did not say whether it took the message") from error
        if code != 250:
            raise smtplib.SMTPDataError(code, answer)

    def leave(self) -> None:
        """QUIT, and no wait for its answer: the message is the server's by now."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self.putcmd("QUIT")

    @property
    def failure(self) -> OSError | None:
        """What broke the line, if anything did."""
        return self._line.failure if self._line else None

    def _get_socket(self, host: str, port: int, _timeout: object) -> DeadlineSocket:
        self._line = connect(host, port, self._deadline)
        if self._smtp.security is MailSecurity.TLS:
            self._line.secure(_context(self._smtp), self._smtp.host)
        return self._line

    def _start_tls(self) -> None:
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError(
                "offers no STARTTLS: use smtps://, or its port for submission"
            )
        code, answer = self.docmd("STARTTLS")
        if code != 220 or self._line is None:
            raise smtplib.SMTPResponseException(code, answer)
        self._line.secure(_context(self._smtp), self._smtp.host)
        # What was said before TLS counts no more, a reply slipped in behind the server's included (RFC 3207 section 6).
        self.file = None
        self.ehlo_resp, self.esmtp_features, self.does_esmtp = None, {}, False

    def _sign_in(self, user: str, password: str) -> None:
        """AUTH PLAIN (RFC 4616), or LOGIN where the server has no other; names and passwords in UTF-8."""
        ways = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in ways:
            answer = self.docmd("AUTH", "PLAIN " + _base64("\0" + user + "\0" + password))
        elif "LOGIN" in ways:
            answer = self.docmd("AUTH", "LOGIN")
            for value in (user, password):
                answer = self.docmd(_base64(value)) if answer[0] == 334 else answer
        else:
            raise smtplib.SMTPNotSupportedError("offers no way to sign in that we speak (PLAIN or LOGIN)")
        if answer[0] != 235:
            raise smtplib.SMTPAuthenticationError(*answer)


def _context(smtp: SmtpSettings) -> ssl.SSLContext:
    authorities = read_authorities(smtp.ca_file) if smtp.ca_file else None
    return ssl.create_default_context(cadata=authorities)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _words(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"refuses our user and password ({_code(error.smtp_code, error.smtp_error)})"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"refuses the address in AROBASE_MAIL_FROM ({_code(error.smtp_code, error.smtp_error)})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"refuses the message ({_code(error.smtp_code, error.smtp_error)})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)
    return (
        "broke the dialogue off"
        if isinstance(error, smtplib.SMTPServerDisconnected)
        else "says what is no SMTP"
    )


def _code(code: int, answer: bytes | str) -> str:
    """The numbers of a reply alone: its text may repeat the recipient (RFC 3463)."""
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
    first = text.split(" ", 1)[0]
    return f"{code} {first}" if first.count(".") == 2 and first.replace(".", "").isdigit() else str(code)
