"""Gateways: Cisco Meraki, by RADIUS and a sign-on splash page."""
