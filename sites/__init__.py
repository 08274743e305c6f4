"""Where the doors stand: networks, hotspot sites, gateway records."""
