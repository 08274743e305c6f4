"""How the gateways are, from what they report: silences, and where their word and the leases do not agree."""
