"""Gateways: TP-Link Omada, by RADIUS and an external web portal."""
