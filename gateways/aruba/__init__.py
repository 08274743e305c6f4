"""Gateways: Aruba Instant and controllers with AOS, by RADIUS and their login."""
