"""Gateways: MikroTik's HotSpot, by RADIUS and its login page."""
