"""Access points whose encrypted network devices join with a certificate: they ask by RADIUS."""

from __future__ import annotations

from auth.devices import certificates
from gateways.enterprise.lines import lines
from gateways.set_up import SetUp
from portal.gateway_api import dynamic_authorization, radius_calls
from portal.gateway_api.endpoints import Endpoint
from portal.gateway_api.secrets import secret_of
from portal.services import services
from sites.models import Gateway


def set_up(gateway: Gateway) -> SetUp:
    """The lines for hostapd. It takes no name for a server: what to put there, the portal does not know."""
    secret, host = (
        secret_of(gateway, dynamic_authorization.SHARED_SECRET),
        certificates.server_name(services().settings.portal_url),
    )
    made = lines(
        ssid=gateway.option("ssid"),
        server=f"ADDRESS-OF-{host}",
        host=host,
        shared_secret=secret,
        coa_port=gateway.option("coa_port"),
        interim=gateway.option("interim_seconds"),
    )
    return SetUp(made, (secret,))


ENDPOINT = Endpoint(notify=dynamic_authorization.notify, set_up=set_up, shared=(radius_calls.blueprint,))
