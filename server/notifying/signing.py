"""How a message is signed, so that its receiver knows who sent it and that nobody sent it before.

The scheme is Standard Webhooks, with keys and headers as Svix names them too.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from connectors.secret import Secret, decode_secret, encode_secret

PREFIX = "whsec_"
KEY_BYTES = 32
OVERLAP = timedelta(hours=24)
"""For so long a key that was rotated away signs along, while receivers learn the new one."""
MOST_KEYS = 5
"""However often somebody rotates within a day."""


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a destination."""

    key: Secret
    """``whsec_`` and base64."""
    until: datetime | None = None
    """When it signs no more; ``None`` for the newest."""


def new_keys() -> bytes:
    """Make the first key of a destination, encoded for the store."""
    return _encode((SigningKey(key=_new_key()),))


def parse_keys(stored: bytes) -> tuple[SigningKey, ...]:
    """Decode what the store holds, the newest key first."""
    return msgspec.json.decode(stored, type=tuple[SigningKey, ...], dec_hook=decode_secret)


def rotated(keys: Sequence[SigningKey], *, now: datetime) -> bytes:
    """Put a new key before those that still sign, encoded for the store."""
    newest, *older = keys
    kept = [msgspec.structs.replace(newest, until=now + OVERLAP), *_signing(older, now=now)]
    return _encode((SigningKey(key=_new_key()), *kept[: MOST_KEYS - 1]))


def signed_headers(keys: Sequence[SigningKey], body: bytes, *, message_id: str, now: datetime) -> list[tuple[str, str]]:
    """Build the headers of one attempt: under both names, with a signature by each key that still signs."""
    timestamp = str(int(now.timestamp()))
    content = b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body)
    signature = " ".join(_signature(one.key, content) for one in _signing(keys, now=now))
    values = (("id", message_id), ("timestamp", timestamp), ("signature", signature))
    return [(f"{scheme}-{name}", value) for scheme in ("webhook", "svix") for name, value in values]


def _signing(keys: Sequence[SigningKey], *, now: datetime) -> list[SigningKey]:
    return [one for one in keys if one.until is None or one.until > now]


def _signature(key: Secret, content: bytes) -> str:
    plain = base64.b64decode(key.reveal().removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(plain, content, hashlib.sha256)).decode()


def _new_key() -> Secret:
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())


def _encode(keys: tuple[SigningKey, ...]) -> bytes:
    return msgspec.json.encode(keys, enc_hook=encode_secret)
