"""What a self-test finds missing at a gateway, in words for the staff page and the command line.

A kind's own findings have a line here, by the name that its `self_test` gives them. Each says what to do.
"""

from __future__ import annotations

from auth.denials import N_
from gateways.set_up import Finding
from portal.i18n.translation import say

WORDS = {
    "for_free_access_alone": N_(
        "What it tells of a device can be guessed, and people sign in by name on the network %(network)s: give that "
        "network another kind of gateway, or free access alone."
    ),
    "not_heard": N_(
        "Nothing has come from it yet. Is it switched on, does it have the lines for its set-up, and can it reach the "
        "portal’s address?"
    ),
    "no_landing": N_(
        "No device has come from there to the portal yet. Join its wifi with a phone and open any page: the portal "
        "must appear."
    ),
    "nothing_confirmed": N_(
        "People have signed in there, and it has let none of them pass. Compare its settings with the lines for its "
        "set-up, the secrets first."
    ),
    "no_accounting": N_(
        "No volume has come for its last stays. Switch accounting on there, to the portal’s address."
    ),
    "no_redirector": N_(
        "Its record names no redirector: who opens the portal’s address by hand is not recognised. Write into "
        "its record the address of its redirector, its own address on the guests’ side: http://10.66.0.1:8081/"
    ),
    "controller_away": N_(
        "The controller does not answer (%(detail)s): its address, its port, a firewall on the way?"
    ),
    "controller_certificate": N_(
        "The controller’s certificate is not trusted, and nothing was sent (%(detail)s): pin the right one with "
        "certificate_sha256, or name its authority with ca_file."
    ),
    "controller_credential": N_("The file with the controller’s password or key is of no use (%(detail)s)."),
    "controller_credential_open": N_(
        "Every account of the portal’s machine may read the controller’s password or key: chmod 0600 %(detail)s."
    ),
    "controller_login": N_("The controller does not let the portal sign in (%(detail)s)."),
    "controller_permission": N_(
        "The account may not authorize guests (%(detail)s): give it the right to manage this site."
    ),
    "controller_answer": N_(
        "What answers there is no controller, or one that this portal does not know (%(detail)s)."
    ),
    "controller_refusal": N_("The controller refuses (%(detail)s): is the short name of the site right?"),
    "no_status_page": N_(
        "Its record names no redirector: who opens the portal’s address by hand is not recognised. Import the record "
        "with redirector_url http://status.client/login, where openNDS sends people on."
    ),
    "no_public_address": N_(
        "Its record names no public address: behind openNDS all devices come from the box’s own, and the portal "
        "recognises none of them. Import the record with public_addresses, as the portal sees the box."
    ),
    "radius_secret_differs": N_(
        "FreeRADIUS drops its packets: the shared secret is another than in arobase gateways lines %(gateway)s."
    ),
    "radius_strangers": N_(
        "FreeRADIUS drops packets from %(addresses)s, which no record names. If one of these is this gateway’s, import "
        "its record with that nas_address, and write FreeRADIUS’s configuration anew."
    ),
    "no_disconnect_answer": N_(
        "It does not answer a Disconnect-Request at %(address)s, UDP port %(port)s: sessions that are ended here go on "
        "there. Does it listen, with the same secret, and for this address? Does a firewall drop it?"
    ),
    "disconnect_refused": N_(
        "It refuses Disconnect-Requests at %(address)s, UDP port %(port)s (%(reason)s): sessions that are ended here "
        "go on there. Switch them on for this portal’s address."
    ),
    "self_test_failed": N_("Its self-test could not be carried out (%(error)s): the portal’s log says why."),
}


def finding_in_words(finding: Finding) -> str:
    """What is missing, and what to do; one that has no words is told by its name."""
    if finding.name not in WORDS:
        return say("Something that this portal has no words for yet: %(name)s.", name=finding.name)
    return say(WORDS[finding.name], **dict(finding.facts))
