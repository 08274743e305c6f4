"""Sites: networks, hotspot sites, opening hours and gateway records."""
