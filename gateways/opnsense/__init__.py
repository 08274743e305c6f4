"""Gateways: OPNsense's captive portal, by RADIUS and a page that forwards."""
