"""Signatures are what the official verifiers of the receivers take, and nothing else is."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from server.notifying.signing import OVERLAP, SigningKey, new_keys, parse_keys, rotated, signed_headers
from tests.parts import absent

BODY = b'{"notificationType":"write.async.done","data":{"success":true,"name":"Z\xc3\xbcrich"}}'
VERIFIER = Path(__file__).parent / "verifier"


def now() -> datetime:
    return datetime.now(UTC)


def keys() -> tuple[SigningKey, ...]:
    return parse_keys(new_keys())


def text(some: tuple[SigningKey, ...], index: int = 0) -> str:
    return some[index].key.reveal()


def headers(some: tuple[SigningKey, ...], *, at: datetime | None = None) -> dict[str, str]:
    return dict(signed_headers(some, BODY, message_id="msg-1", now=at or now()))


def python_takes(key: str, body: bytes, said: dict[str, str]) -> bool:
    try:
        Webhook(key).verify(body, said)
    except WebhookVerificationError:
        return False
    return True


def node_takes(key: str, body: bytes, said: dict[str, str]) -> bool:
    asked = json.dumps({"key": key, "body": body.decode(), "headers": said})
    done = subprocess.run(  # noqa: S603 -- our own program
        [str(shutil.which("node")), "verify.mjs"],
        cwd=VERIFIER,
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return bool(json.loads(done.stdout)["taken"])


Takes = Callable[[str, bytes, dict[str, str]], bool]


@pytest.fixture(params=["python", "javascript"])
def takes(request: pytest.FixtureRequest) -> Takes:
    """The official verifiers; skips where JavaScript's is absent, and fails there if this is CI."""
    if request.param == "python":
        return python_takes
    if shutil.which("node") is None or not (VERIFIER / "node_modules" / "standardwebhooks").is_dir():
        absent(f"JAVASCRIPT VERIFIER ABSENT: run `npm ci` in {VERIFIER}, or `make test`")
    return node_takes


def test_what_we_sign_is_taken(takes: Takes) -> None:
    some = keys()
    assert takes(text(some), BODY, headers(some))


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (BODY.replace(b"true", b"false"), {}),
        (BODY + b" ", {}),
        (BODY, {"webhook-id": "msg-2"}),
        (BODY, {"webhook-timestamp": str(int(now().timestamp()) + 60)}),
        (BODY, {"webhook-signature": "v1,AAAA"}),
    ],
    ids=["another body", "a space more", "another id", "another time", "another signature"],
)
def test_what_was_changed_on_the_way_is_refused(takes: Takes, body: bytes, changes: dict[str, str]) -> None:
    some = keys()
    assert not takes(text(some), body, headers(some) | changes)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_sent_at_another_time_is_refused(takes: Takes, minutes: int) -> None:
    some = keys()
    assert not takes(text(some), BODY, headers(some, at=now() + timedelta(minutes=minutes)))


def test_another_key_does_not_take_it(takes: Takes) -> None:
    assert not takes(text(keys()), BODY, headers(keys()))


def test_while_keys_are_rotated_both_take_it(takes: Takes) -> None:
    some = keys()
    both = parse_keys(rotated(some, now=now()))
    said = headers(both)
    assert len(said["webhook-signature"].split(" ")) == 2
    assert takes(text(both), BODY, said)
    assert takes(text(some), BODY, said)


def test_a_day_later_the_old_key_signs_no_more() -> None:
    some = keys()
    then = now()
    both = parse_keys(rotated(some, now=then - OVERLAP))
    said = headers(both, at=then)
    assert python_takes(text(both), BODY, said)
    assert not python_takes(text(some), BODY, said)


def test_both_names_carry_the_same_values() -> None:
    said = headers(keys())
    for name in ("id", "timestamp", "signature"):
        assert said[f"svix-{name}"] == said[f"webhook-{name}"]


def test_keys_rotate_any_number_of_times_and_the_last_few_sign() -> None:
    some = keys()
    for _ in range(9):
        some = parse_keys(rotated(some, now=now()))
    assert len(some) == 5
    assert len({text(some, index) for index in range(5)}) == 5
    assert [one.until is None for one in some] == [True, False, False, False, False]


def test_a_key_shows_itself_to_nobody() -> None:
    some: Any = keys()
    assert text(some).startswith("whsec_")
    assert text(some) not in repr(some)
