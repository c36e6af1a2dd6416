"""What the sandbox received and what it really did: a request log and a ledger of effects, both bounded."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from connectors.sandbox.table import Effect

REQUESTS_KEPT = 2_000
EFFECTS_KEPT = 200_000
BODY_KEPT = 4_096
"""Bytes of a request body that are kept."""


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request as it arrived. Credentials are not kept."""

    number: int
    at: datetime
    workspace: str
    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    body: str
    status: int | None
    """``null`` where the connection was closed without an answer."""
    fault: str | None = None
    """The fault that hit it."""


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One effect, and the request that caused it."""

    number: int
    request: int
    at: datetime
    workspace: str
    action: str
    object: str
    record_id: str
    fields: Mapping[str, Any]
    idempotency_key: str | None = None


class Journal:
    """The request log and the ledger, newest last; the oldest entries go first."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=REQUESTS_KEPT)
        self._effects: deque[LedgerEntry] = deque(maxlen=EFFECTS_KEPT)
        self._request_count = 0
        self._effect_count = 0

    def next_number(self) -> int:
        """Number a request."""
        self._request_count += 1
        return self._request_count

    def log(self, request: LoggedRequest) -> None:
        """Keep a request."""
        self._requests.append(request)

    def enter(self, effect: Effect, *, request: int, at: datetime, workspace: str, idempotency_key: str | None) -> None:
        """Keep an effect."""
        self._effect_count += 1
        entry = LedgerEntry(
            number=self._effect_count,
            request=request,
            at=at,
            workspace=workspace,
            action=effect.action,
            object=effect.object,
            record_id=effect.record_id,
            fields=effect.fields,
            idempotency_key=idempotency_key,
        )
        self._effects.append(entry)

    def requests(self, workspace: str | None) -> Iterator[LoggedRequest]:
        """List the requests of a workspace, or all."""
        return (each for each in self._requests if workspace in {None, each.workspace})

    def effects(self, workspace: str | None) -> Iterator[LedgerEntry]:
        """List the effects in a workspace, or all."""
        return (each for each in self._effects if workspace in {None, each.workspace})

    @property
    def effect_count(self) -> int:
        """How many effects there were, kept or not."""
        return self._effect_count
