"""UniFi: a controller that the portal calls, by the interface of its external hotspot portal."""
