"""Gateways: Ruckus ZoneDirector and Unleashed, by RADIUS and their hotspot service."""
