"""What makes two requests the same request: the fingerprint of a body, and how long a key is remembered.

Source: the Idempotency-Key header draft, https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.

    IdempotencyError
    ├── KeyReused        the key came with another body before
    └── KeyInFlight      the first request with this key has not ended yet
"""

import hashlib
import json
from datetime import datetime, timedelta

from msgspec.structs import replace

from installations.errors import invalid
from server.store.contract import IdempotencyKey

RETENTION = timedelta(hours=24)
LONGEST_KEY = 255


class IdempotencyError(Exception):
    """The root: the key cannot be honoured now."""


class KeyReused(IdempotencyError):
    """The key came with another body before; use a fresh key."""


class KeyInFlight(IdempotencyError):
    """The first request with this key has not ended yet; ask again in a moment."""


class _Number(str):
    """A number as it was written: 1 and 1.0 are different requests, and no digit is lost to a float."""

    __slots__ = ()


def idempotency_key(key: str, *, route: str, body: bytes, now: datetime) -> IdempotencyKey:
    """Build the key of a request whose body has been decoded before. Raises `InvalidInput` for a key we cannot keep."""
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise invalid(
            "header.Idempotency-Key", f"must be 1 to {LONGEST_KEY} printable ASCII characters", code="idempotency-key"
        )
    return IdempotencyKey(key=key, route=route, fingerprint=fingerprint(body), expire_time=now + RETENTION)


def kept_until(key: IdempotencyKey | None, least: datetime) -> IdempotencyKey | None:
    """Remember a key for longer, as an operation may still be under way after a day."""
    return None if key is None else replace(key, expire_time=max(key.expire_time, least))


def fingerprint(body: bytes) -> bytes:
    """Digest a JSON body so that member order and white space do not matter, and everything else does."""
    decoded = json.loads(body, parse_int=_Number, parse_float=_Number)
    return hashlib.sha256(json.dumps(_tagged(decoded), sort_keys=True).encode()).digest()


def _tagged(value: object) -> object:
    """Mark numbers so that no text, list or object of a caller's reads like one."""
    if isinstance(value, _Number):
        return ["number", str(value)]
    if isinstance(value, dict):
        return {key: _tagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return ["list", *map(_tagged, value)]
    return value
