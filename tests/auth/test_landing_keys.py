"""What is needed to sign for a gateway: the installation's secret, and not the database alone."""

from __future__ import annotations

from auth.landing_keys import LandingKeys
from config import Secret
from gateways.landing_token import credential_digest

KEYS = LandingKeys(Secret("a" * 40))
DIGEST = credential_digest("the-credential-of-a-gateway")


def test_a_key_depends_on_the_secret_and_on_the_credential() -> None:
    key = KEYS.of(DIGEST)
    assert len(key) == 32 and key == LandingKeys(Secret("a" * 40)).of(DIGEST)
    assert key != LandingKeys(Secret("b" * 40)).of(DIGEST)
    assert key != KEYS.of(credential_digest("its-next-credential"))
