"""Why a device does not join the encrypted network, or is given no profile for it: each reason with its texts."""

from __future__ import annotations

from http import HTTPStatus

from auth.denials import N_, Incident, declare
from auth.errors import AuthError


class UnknownDevice(AuthError):
    """The certificate is of our authority, and of no device that is on record: its row is past its term."""

    reason = declare(
        "unknown_device",
        HTTPStatus.FORBIDDEN,
        N_("This device’s profile is not known here."),
        N_("Remove it, join the open network, and take a new one."),
        incident=Incident(
            N_("Device not on record"),
            N_("It showed a certificate of ours that is on record no more."),
            N_("They remove the profile, join the open network, and take a new one."),
        ),
    )


class RevokedDevice(AuthError):
    """The certificate was revoked, by the patron or by staff."""

    reason = declare(
        "revoked_device",
        HTTPStatus.FORBIDDEN,
        N_("This device’s profile was revoked."),
        N_("Remove it, join the open network, and take a new one."),
        incident=Incident(
            N_("Device’s certificate revoked"),
            N_("The patron or staff has revoked this device’s certificate."),
            N_("If the device is theirs and not lost, they take a new profile on the open network."),
        ),
    )


class OverDevice(AuthError):
    """The certificate's time is over."""

    reason = declare(
        "over_device",
        HTTPStatus.FORBIDDEN,
        N_("This device’s profile is over."),
        N_("Remove it, join the open network, and take a new one."),
        incident=Incident(
            N_("Device’s certificate over"),
            N_("Each certificate is good for a time, and that of this device has passed."),
            N_("They remove the profile, join the open network, and take a new one."),
        ),
    )


class GoneCard(AuthError):
    """The directory knows the card no more, or knows it as somebody else's."""

    reason = declare(
        "gone_card",
        HTTPStatus.FORBIDDEN,
        N_("The card of this device’s profile is not known any more."),
        N_("Ask at the library’s desk."),
        incident=Incident(
            N_("Card of a device gone"),
            N_("The directory has the card no more, or it is somebody else’s now."),
            N_("The library’s desk can look the card up. With the new card they take a new profile."),
        ),
    )


class ClosedLibrary(AuthError):
    """A device would join by itself while the library is closed."""

    reason = declare(
        "closed_library",
        HTTPStatus.FORBIDDEN,
        N_("The library is closed now."),
        N_("The network lets devices in during the opening hours."),
        incident=Incident(
            N_("Library closed"),
            N_("The device tried to join the encrypted network outside the opening hours."),
            N_("It joins by itself when the library is open."),
        ),
    )


class TooManyDevices(AuthError):
    """The patron has as many devices with a profile as there may be."""

    reason = declare(
        "too_many_devices",
        HTTPStatus.FORBIDDEN,
        N_("You have profiles on as many devices as there may be."),
        N_("Revoke one that you no longer use, in the list below."),
        incident=Incident(
            N_("Too many devices"),
            N_("This patron has as many devices with a profile as there may be."),
            N_("They revoke one on the portal’s page, or staff does on the page of a session of theirs."),
        ),
    )


class NoSecureNetwork(AuthError):
    """Nobody has set the encrypted network up here."""

    reason = declare(
        "no_secure_network",
        HTTPStatus.NOT_FOUND,
        N_("There is no encrypted network here."),
        N_("This one serves too: nearly all sites encrypt by themselves."),
        incident=Incident(
            N_("No encrypted network"),
            N_("The encrypted network of this place has not been set up to its end."),
            N_("Tell the operator: docs/secure-network.md says what is missing."),
        ),
    )
