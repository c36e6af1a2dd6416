"""What the store promises about operations, the hot path."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Attempt, Operation, State
from installations.record import FaultKind


class IdempotencyKey(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's promise that equal requests are one request. Unique within (project, route)."""

    key: str
    route: str
    """The write's path, so that one key may serve different objects."""
    fingerprint: bytes
    """SHA-256 of the canonical body."""
    expire_time: datetime


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The operation that an idempotency key belongs to already."""

    operation: Operation
    fingerprint: bytes


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One move of an operation, with the attempt that caused it."""

    operation_id: str
    project_id: str
    from_state: State
    owner: str
    """Must still hold the operation; one that nobody holds (``queued``, ``parked``, ``unknown``) is free to take.

    The owner holds it afterwards, unless ``to_state`` is one that nobody holds.
    """
    to_state: State
    now: datetime
    attempt: Attempt | None = None
    outcome: bytes = b""
    summary: str = ""
    fault_kind: FaultKind | None = None
    successful_record_ids: tuple[str, ...] = ()
    run_at: datetime | UnsetType = UNSET


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of operations, newest first."""

    results: tuple[Operation, ...]
    next_page_token: str | None


class Operations(Protocol):
    """Deliveries. `begin` and `settle` are the hot path: they share commits with whatever else is waiting."""

    async def begin(self, operation: Operation, *, idempotency: IdempotencyKey | None = None) -> Earlier | None:
        """Store an operation, and its idempotency key in the same transaction.

        Answers ``None`` when it was stored, or the operation that has the key already, and then nothing was stored.
        """

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key, without taking it: a repetition is answered before anything is planned."""

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt. Raises `Superseded` unless state and owner are as expected."""

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one. Raises `Missing`."""

    async def operations(
        self, project_id: str, installation_id: str, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List one installation's, newest first. An unknown token raises `Missing`."""

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations ``claimed`` or ``sent`` whose owner is not among the living processes."""
