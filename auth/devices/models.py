"""The rows of the encrypted network: the authority of the certificates, and the devices that were given one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class CertificateAuthority(Base):
    """The authority that signs the certificates of devices and of FreeRADIUS: the newest row is the one in force.

    `encrypted_key` is its private key, encrypted with a key made of the installation's secret
    (docs/adr/0013-a-certificate-for-each-device.md): a stolen database signs nothing.
    """

    __tablename__ = "certificate_authorities"

    id: Mapped[Key]
    certificate: Mapped[str] = mapped_column(Text)
    encrypted_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Device(Base):
    """One device of a patron, by the serial number of its certificate. Its private key is kept nowhere here.

    `subject` is the patron's pseudonym. `encrypted_login` is the card's number, encrypted as the authority's key is:
    with it alone can the directory be asked whether the card is still good. `mac` is what it joined with last.
    """

    __tablename__ = "devices"

    id: Mapped[Key]
    # RFC 5280 section 4.1.2.2, in hexadecimal digits as FreeRADIUS writes it.
    serial: Mapped[str] = mapped_column(String(40), unique=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    encrypted_login: Mapped[str] = mapped_column(Text)
    # Of the request that it was made for: a file that is fetched again takes the place of the one before.
    nonce: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    issued_at: Mapped[datetime]
    until: Mapped[datetime]
    # What the patron accepted when taking the profile: each stay that begins with it keeps that.
    terms_version: Mapped[str] = mapped_column(String(32))
    terms_language: Mapped[str] = mapped_column(String(8))
    terms_digest: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str | None] = mapped_column(String(17))
    joined_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def is_good(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.until
