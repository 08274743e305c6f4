"""TP-Link Omada: an external web portal with a RADIUS server."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    mac=("clientMac",),
    # Versions spell it in two ways.
    address=("clientIp", "clientIP"),
    login=LoginRule(
        host=("target",),
        port=("targetPort",),
        scheme=("scheme",),
        path="/portal/radius/browserauth",
        schemes=("https", "http"),
        ports={"http": 8088, "https": 8843},
    ),
    back="originUrl",
    constants={"authType": "2"},
    echoed={
        "clientMac": ("clientMac",),
        "clientIp": ("clientIp", "clientIP"),
        "apMac": ("apMac", "ap"),
        "gatewayMac": ("gatewayMac",),
        "ssidName": ("ssidName", "ssid"),
        "radioId": ("radioId",),
        "vid": ("vid",),
    },
)
