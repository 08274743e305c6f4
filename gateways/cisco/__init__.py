"""Gateways: Cisco's wireless controllers, by RADIUS and external web authentication."""
