"""What a gateway shares with the portal needs the installation's secret, and not the database alone."""

from __future__ import annotations

import re

from auth.gateway_secrets import GatewaySecrets
from config import Secret
from gateways.landing_token import credential_digest

OURS = GatewaySecrets(Secret("a" * 40))
DIGEST = credential_digest("the-credential-of-a-gateway")


def test_a_landing_key_depends_on_the_secret_and_on_the_credential() -> None:
    key = OURS.landing_key(DIGEST)
    assert len(key) == 32 and key == GatewaySecrets(Secret("a" * 40)).landing_key(DIGEST)
    assert key != GatewaySecrets(Secret("b" * 40)).landing_key(DIGEST)
    assert key != OURS.landing_key(credential_digest("its-next-credential"))


def test_a_typed_secret_depends_on_its_purpose_too_and_every_box_takes_it() -> None:
    typed = OURS.typed(DIGEST, "radius")
    assert re.fullmatch(r"[a-z2-7]{52}", typed)
    others = (
        OURS.typed(DIGEST, "fas"),
        OURS.typed(credential_digest("its-next-credential"), "radius"),
        GatewaySecrets(Secret("b" * 40)).typed(DIGEST, "radius"),
    )
    assert typed not in others and len(set(others)) == 3
