"""What the sandbox received and what it really did: a request log and a ledger of effects, both bounded."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
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
    """The record's own, or else the header that its request came with, honoured or not."""
    marker: Any = None
    """The external id that was sent."""


class Counts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much came, since the start: nothing of it is forgotten."""

    requests: int
    statuses: Mapping[str, int]
    """By status; ``none`` where the connection was closed without an answer."""
    faults: Mapping[str, int]
    effects: Mapping[str, int]
    """By action and object: ``create contacts``."""


class _Tally:
    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()


class Journal:
    """The request log and the ledger, newest last; the oldest entries go first. Counts go on."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=REQUESTS_KEPT)
        self._effects: deque[LedgerEntry] = deque(maxlen=EFFECTS_KEPT)
        self._tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._request_count = 0
        self._effect_count = 0

    def next_number(self) -> int:
        """Number a request."""
        self._request_count += 1
        return self._request_count

    def log(self, request: LoggedRequest) -> None:
        """Keep a request."""
        self._requests.append(request)
        tally = self._tallies[request.workspace]
        tally.statuses["none" if request.status is None else str(request.status)] += 1
        if request.fault is not None:
            tally.faults[request.fault] += 1

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
            idempotency_key=effect.key or idempotency_key,
            marker=effect.fields.get("externalId"),
        )
        self._effects.append(entry)
        self._tallies[workspace].effects[f"{effect.action} {effect.object}"] += 1

    def counts(self, workspace: str | None) -> Counts:
        """Count what came to a workspace, or to all."""
        chosen = [tally for name, tally in self._tallies.items() if workspace in {None, name}]
        statuses = sum((tally.statuses for tally in chosen), Counter())
        return Counts(
            requests=statuses.total(),
            statuses=statuses,
            faults=sum((tally.faults for tally in chosen), Counter()),
            effects=sum((tally.effects for tally in chosen), Counter()),
        )

    def requests(self, workspace: str | None) -> Iterator[LoggedRequest]:
        """List the requests of a workspace, or all."""
        return (each for each in self._requests if workspace in {None, each.workspace})

    def effects(self, workspace: str | None, *, after: int = 0) -> Iterator[LedgerEntry]:
        """List the effects in a workspace, or all, that are numbered higher than ``after``."""
        first = self._effects[0].number if self._effects else 1
        kept = islice(self._effects, max(0, after + 1 - first), None)
        return (each for each in kept if workspace in {None, each.workspace})

    @property
    def effect_count(self) -> int:
        """How many effects there were, kept or not."""
        return self._effect_count
