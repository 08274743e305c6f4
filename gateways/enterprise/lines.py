"""The settings of an access point's encrypted network, as hostapd has them: other makes ask for the same by form."""

from __future__ import annotations

from gateways.set_up import Lines


def lines(
    *, ssid: str, server: str, host: str, shared_secret: str, coa_port: str, interim: str
) -> tuple[Lines, ...]:
    """`server` is where FreeRADIUS is, and `host` the portal's name, which is the realm of Passpoint too."""
    config = f"""\
ssid={ssid}
wpa=2
# WPA3-Enterprise beside WPA2.
wpa_key_mgmt=WPA-EAP WPA-EAP-SHA256
rsn_pairwise=CCMP
ieee80211w=1
ieee8021x=1
auth_server_addr={server}
auth_server_port=1812
auth_server_shared_secret={shared_secret}
acct_server_addr={server}
acct_server_port=1813
acct_server_shared_secret={shared_secret}
radius_acct_interim_interval={interim}
# Disconnect-Request: what is revoked is offline at once.
radius_das_port={coa_port}
radius_das_client={server} {shared_secret}
# Passpoint, for the profile of Android.
interworking=1
hs20=1
domain_name={host}
nai_realm=0,{host},13[5:6]
"""
    return (Lines("hostapd.conf", config),)
