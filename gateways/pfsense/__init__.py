"""Gateways: pfSense's captive portal, by RADIUS and a page that forwards."""
