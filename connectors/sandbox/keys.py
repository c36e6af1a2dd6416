"""Which creates came before, by their key: the answer of the first is said again, and nothing is done twice.

A key is remembered for a window on the sandbox's clock. Refusals do not use it up: another try may be a better one.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.sandbox.refusals import Refusal, bad_request
from connectors.sandbox.table import Unit
from connectors.sandbox.workspace import RecordWrite

KEYS_KEPT = 200_000
"""In one workspace; the oldest go first."""
KEY_WINDOW = timedelta(hours=24)
LONGEST_KEY = 255

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a create was answered."""

    status: int
    body: Any
    """A record, or the body of an error."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: bytes
    said: Said
    until: datetime


class KeptKeys:
    """The keys of one workspace. ``now`` answers the time in UTC."""

    def __init__(self, *, now: Callable[[], datetime], window: timedelta = KEY_WINDOW) -> None:
        self._now = now
        self._window = window
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def recall(self, key: str, fingerprint: bytes) -> Said | None:
        """Tell what this key was answered before. Raises 400 for a bad key, 422 if it came with another record."""
        if not key or len(key) > LONGEST_KEY:
            raise bad_request(f"An idempotency key must have 1 to {LONGEST_KEY} characters.")
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._now():
            return None
        if kept.fingerprint != fingerprint:
            raise Refusal(422, "idempotency_conflict", "This idempotency key was used for another record.")
        return kept.said

    def keep(self, key: str, fingerprint: bytes, said: Said, *, unit: Unit) -> None:
        """Remember an answer for its key, unless the unit is rolled back."""
        self._kept[key] = _Kept(fingerprint=fingerprint, said=said, until=self._now() + self._window)
        self._kept.move_to_end(key)
        if len(self._kept) > KEYS_KEPT:
            self._kept.popitem(last=False)
        unit.on_roll_back(lambda: self._drop(key))

    def forget(self) -> None:
        """Forget every key before its time."""
        self._kept.clear()

    def _drop(self, key: str) -> None:
        self._kept.pop(key, None)


def fingerprint(object_name: str, write: RecordWrite) -> bytes:
    """Tell records apart: one key is for one record, whether it comes alone or in a batch."""
    return hashlib.sha256(_ENCODER.encode((object_name, write))).digest()
