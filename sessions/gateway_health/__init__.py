"""Gateway health: silences, and where a gateway's word and the leases do not agree."""
