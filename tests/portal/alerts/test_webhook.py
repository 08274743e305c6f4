from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from config import Secret
from portal.alerts.webhook import UndeliveredWebhook, Webhook, post
from tests.portal.alerts.receiver import Receiver, receiving

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
KEY = "a key of more than thirty-two characters"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def hook(receiver: Receiver, key: str | None = None) -> Webhook:
    return Webhook(Secret(receiver.url), Secret(key) if key else None)


def test_a_receiver_can_tell_who_posted_and_that_nothing_was_changed(receiver: Receiver) -> None:
    post(hook(receiver, KEY), {"text": "Battant est muette."}, number="trouble-7", now=NOW)
    [got] = receiver.received
    assert got.path == "/hooks/a-secret-word"
    assert json.loads(got.body) == {"text": "Battant est muette."}
    # As a receiver computes it, from the specification and not from our code.
    content = b".".join(
        [got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body]
    )
    expected = base64.b64encode(hmac.new(KEY.encode(), content, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.headers["webhook-id"] == "trouble-7"
    assert int(got.headers["webhook-timestamp"]) == NOW.timestamp()


def test_without_a_key_nothing_is_signed(receiver: Receiver) -> None:
    post(hook(receiver), {}, number="1", now=NOW)
    assert "webhook-signature" not in receiver.received[0].headers


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_only_a_2xx_is_a_delivery(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    receiver.location = receiver.url
    with pytest.raises(UndeliveredWebhook, match=f"it answered {status}"):
        post(hook(receiver), {}, number="1", now=NOW)
    assert len(receiver.received) == 1


def test_a_receiver_that_answers_a_byte_at_a_time_is_given_up(receiver: Receiver) -> None:
    receiver.drips = True
    with pytest.raises(UndeliveredWebhook) as given_up:
        post(hook(receiver), {}, number="1", now=NOW, seconds=0.5)
    assert str(given_up.value) == "no answer within 0.5 s"


def test_nothing_of_the_address_stands_in_a_failure(receiver: Receiver) -> None:
    gone = Webhook(Secret("http://127.0.0.1:1/hooks/a-secret-word"))
    with pytest.raises(UndeliveredWebhook) as failure:
        post(gone, {}, number="1", now=NOW)
    assert "secret" not in str(failure.value)
    assert "secret" not in repr(gone)


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver: Receiver) -> None:
    plain = receiver.url.replace("http://", "https://")
    with pytest.raises(UndeliveredWebhook):
        post(Webhook(Secret(plain)), {}, number="1", now=NOW, seconds=3)
    assert not receiver.received
