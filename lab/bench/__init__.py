"""``make bench``: what the house can carry on this machine, measured on real parts, one JSON object a line."""
