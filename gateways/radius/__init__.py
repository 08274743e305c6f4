"""RADIUS: what FreeRADIUS hands over with rlm_rest, and is answered. The kinds that speak it have this in common."""
