"""What the caller asked (`WriteRequest`), what the provider shall get (`Change`), and what came of it (`Outcome`)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Action = Literal["create", "update", "upsert", "delete"]
Record = dict[str, Any]
"""Decoded JSON: field name to JSON value."""

DeadlineHours = Annotated[int, Meta(ge=1, le=48)]


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One record of a batch."""

    record: Record
    associations: list[dict[str, Any]] | UnsetType = UNSET


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header for the provider's request."""

    key: str
    value: str


# Members of policies that are unknown are refused: who misspells a deadline would get another one, and not hear of it.
class BatchPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Whether one refused record undoes the others."""

    all_or_none: bool = False


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """For how long an asynchronous write is retried."""

    deadline_hours: DeadlineHours = 1


class AutoBatchPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How long single records may wait to be sent together."""

    max_delay_minutes: Annotated[int, Meta(ge=1, le=1440)]
    retry_deadline_hours: DeadlineHours = 1


class WriteRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a write.

    Unknown members are ignored, as the published server does; those of a policy, and those that are nearly known, are
    refused.
    """

    group_ref: str
    type: Action
    mode: Literal["synchronous", "asynchronous"] = "synchronous"
    record: Record | UnsetType = UNSET
    batch: list[BatchItem] | UnsetType = UNSET
    batch_policy: BatchPolicy | UnsetType = UNSET
    associations: list[dict[str, Any]] | UnsetType = UNSET
    headers: list[Header] | UnsetType = UNSET
    retry_policy: RetryPolicy | UnsetType = UNSET
    auto_batch_policy: AutoBatchPolicy | UnsetType = UNSET
    on_ambiguous: Literal["park", "retry"] = "park"
    """*Isthmus*: what to do where nobody can tell whether a create happened; ``retry`` risks doing it twice."""
    match_key: str | UnsetType = UNSET
    """*Isthmus*: for ``type: upsert``, the mapped or provider name of the field to match by."""


class RecordChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One record as the provider shall get it: provider names, nested objects built, rules applied."""

    fields: Record
    id: str | None = None
    """The provider's id; ``None`` on create, and on an upsert of what no look-up has found."""
    associations: list[dict[str, Any]] | UnsetType = UNSET


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A finished plan: exactly what a connector sends, without credentials."""

    action: Action
    object_name: str
    """The provider's name."""
    records: tuple[RecordChange, ...]
    batch: bool = False
    """Asked as a batch; a batch of one is still a batch."""
    all_or_none: bool = False
    headers: tuple[Header, ...] = ()
    match_field: str | None = None
    """For upsert: the provider field to match by. Its value stands in each record's ``fields``."""
    keys: tuple[str, ...] = ()
    """One for each record, the same at every attempt, for providers that tell a repetition by it; or none at all."""


FaultKind = Literal[
    "auth",
    "forbidden",
    "rate_limited",
    "invalid",
    "conflict",
    "locked",
    "not_found",
    "unknown_field",
    "unknown_object",
    "provider",
    "unrecognised",
    "not_sent",
    "ambiguous",
]
"""Why a record was not (known to be) written; `connectors/errors.py` says who must act and what time does."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One refusal or failure, in words and as data."""

    kind: FaultKind
    message: str
    """The provider's own words where there are any; at most 4 KB."""
    status: int | None = None
    """The provider's HTTP status."""
    code: str | None = None
    """The provider's own code."""
    fields: tuple[str, ...] = ()
    """The provider fields it names."""
    retry_after_seconds: float | None = None
    existing_id: str | None = None
    """For a conflict: the record that is already there, where the provider names it."""


class RecordOutcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of one record, at the same index as in the `Change`."""

    success: bool
    record_id: str | None = None
    data: Any = UNSET
    """The provider's own body for this record, unmapped; absent if there was none."""
    fault: Fault | None = None
    created: bool | None = None
    """For upsert, where the provider says: created or updated."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of a change: one entry for each record, in the order asked."""

    records: tuple[RecordOutcome, ...]
    warnings: tuple[str, ...] = ()
    raw_response: str | None = None
    """The provider's body as text when the whole request was refused; at most 4 KB."""
