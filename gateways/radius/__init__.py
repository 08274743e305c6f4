"""RADIUS: what the kinds of gateways that speak it have in common. No kind by itself."""
