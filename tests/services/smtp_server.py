"""A mail server for tests: aiosmtpd, with a certificate and a sign-in, keeping what it was handed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from config import MailSecurity, Secret, SmtpSettings
from tests.services.certificates import Authority

USER, PASSWORD = "wifi@example.org", "pässe:wort"


@dataclass
class Mailbox:
    """What arrived, and the answers that the server is to give to MAIL, RCPT and DATA."""

    smtp: SmtpSettings
    envelopes: list[Envelope] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[EmailMessage]:
        found = [message_from_bytes(one.content or b"", policy=default) for one in self.envelopes]
        return [one for one in found if isinstance(one, EmailMessage)]

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            self.envelopes.append(envelope)
        return answer


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)


class _Controller(Controller):
    """`own_arguments` of the server; with `tls`, TLS from the first byte."""

    def __init__(self, mailbox: Mailbox, tls: ssl.SSLContext | None, **own_arguments: Any) -> None:
        super().__init__(mailbox, hostname="127.0.0.1", port=0, ssl_context=tls, **own_arguments)
        self.bound = 0

    def _trigger_server(self) -> None:
        # The port is the kernel's choice, and known only now.
        assert self.server is not None
        self.port = self.bound = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()


@contextmanager
def smtp_server(
    folder: Path,
    security: MailSecurity = MailSecurity.STARTTLS,
    *,
    exclude: tuple[str, ...] = (),
    name: str = "127.0.0.1",
) -> Iterator[Mailbox]:
    """A server whose certificate is for `name`; `exclude` leaves ways to sign in out (LOGIN, PLAIN)."""
    authority = Authority(folder)
    files = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate_file, files.key_file)
    mailbox = Mailbox(SmtpSettings("127.0.0.1", 0, security, "wifi@example.org"))
    if security is MailSecurity.NONE:
        controller = _Controller(mailbox, None)
    elif security is MailSecurity.TLS:
        controller = _Controller(
            mailbox, context, authenticator=_authenticate, auth_exclude_mechanism=exclude, auth_require_tls=False
        )  # fmt: skip
    else:
        controller = _Controller(
            mailbox,
            None,
            tls_context=context,
            require_starttls=True,
            authenticator=_authenticate,
            auth_exclude_mechanism=exclude,
        )
    controller.start()
    try:
        user, password = ("", "") if security is MailSecurity.NONE else (USER, PASSWORD)
        mailbox.smtp = SmtpSettings(
            "127.0.0.1",
            controller.bound,
            security,
            "wifi@example.org",
            user,
            Secret(password),
            authority.ca_file,
        )
        yield mailbox
    finally:
        controller.stop()
