"""OpenID Connect: the town's own provider says who a member of staff is (OpenID Connect Core 1.0)."""
