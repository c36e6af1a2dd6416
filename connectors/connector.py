"""What a connector can do: one small protocol for each capability.

A connector does no I/O and never sees a token. Each capability is a *flow*: a plain generator that yields an
`httpx.Request`, is sent the `httpx.Response`, and returns a result. `transport.perform` is the only loop that touches
the network. A flow reads the answer (`interpret`) and

- returns an `Outcome` with one entry for each record, refused ones carrying their `Fault`, where the provider judged
  records one by one;
- raises `Refused`, `Ambiguous` or `Unreadable` (`connectors/errors.py`) where the whole request did not go through.

A flow never catches what `perform` throws into it, save to give it a better name.
"""

from collections.abc import Generator, Hashable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

import httpx
import msgspec

from connectors.provider import Provider
from installations.record import Change, Fault, Outcome, Record
from installations.schema import ObjectMetadata

T = TypeVar("T")
Flow: TypeAlias = Generator[httpx.Request, httpx.Response, T]

READS_ONLY = "isthmus.reads_only"
"""Set true among the extensions of a request that changes nothing although its method could (a search by POST)."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where one customer's account lives; never a credential."""

    base_url: str
    """The provider's base URL with placeholders filled in, without a trailing slash."""
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The connection's ``providerMetadata`` values."""


class Connector(Hashable, Protocol):
    """What every connector has. Capabilities are the other protocols, told by `isinstance`."""

    @property
    def provider(self) -> Provider:
        """The provider's data."""
        ...


@runtime_checkable
class Writer(Protocol):
    """Creates and updates single records."""

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """Send a create or update of exactly one record."""
        ...


@runtime_checkable
class BatchWriter(Protocol):
    """Creates and updates many records in one request."""

    @property
    def batch_limit(self) -> int:
        """The most records the provider takes at once."""
        ...

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """Send a create or update of 1 to `batch_limit` records, partial unless ``change.all_or_none``."""
        ...


@runtime_checkable
class Upserter(Protocol):
    """Creates or updates by a match key, natively at the provider."""

    def upsert(self, account: Account, change: Change) -> Flow[Outcome]:
        """Send an upsert of one or many records by ``change.match_field``."""
        ...

    def can_upsert(self, object_name: str, match_field: str) -> bool:
        """Whether the provider upserts this object by this field natively, as far as is known without asking it."""
        ...


@runtime_checkable
class Deleter(Protocol):
    """Deletes records."""

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """Send a delete of one or many records by id."""
        ...


@runtime_checkable
class Fetcher(Protocol):
    """Reads records as they are now, by id; many ids cost as few requests as the provider allows."""

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer the records found, by id, with the asked fields in provider names and nested as the provider nests
        them. An id the provider does not know is absent from the answer.
        """  # noqa: D205
        ...


@runtime_checkable
class Finder(Protocol):
    """Looks records up by the value of a field: for upserts without a native one, and to settle an ambiguous create."""

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer the records (at most a few) whose ``field`` equals ``value``, by id, with the asked fields."""
        ...


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider tells that a create came before; what makes a lost answer harmless."""

    kind: Literal["key", "unique", "marker"]
    """``key``: it takes a key with the request (`Change.keys`) and does nothing twice that has the same.

    ``unique``: it refuses a second record with the value that ``field`` has in this one. ``marker``: the key can be
    stamped into ``field``, and the record be found by it (`Finder`).
    """
    field: str = ""
    window_seconds: float | None = None
    """For ``key``: how long it is remembered, as declared; ``None`` for ever."""
    exact: bool = False
    """For ``marker``: a record is found from the moment it exists, so that one that is not found does not."""


@runtime_checkable
class Recogniser(Protocol):
    """Recognises a create that it has seen before."""

    def recognition(self, object_name: str, fields: Record) -> Recognition | None:
        """Tell how a create of this record would be recognised, or ``None``: then it may be sent once only.

        For ``marker`` the connector stamps the record's key (`Change.keys`) into ``field`` when it writes.
        """
        ...


@runtime_checkable
class Describer(Protocol):
    """Describes the customer's own schema."""

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:
        """Answer one object with all of its fields; raises `Refused` with kind ``unknown_object`` if there is none."""
        ...


@runtime_checkable
class Prober(Protocol):
    """Checks that a credential works, as cheaply as the provider allows."""

    def probe(self, account: Account) -> Flow[None]:
        """Return if the provider accepts the credential; raise `Refused` with kind ``auth`` or ``forbidden`` if not."""
        ...


@runtime_checkable
class Interpreter(Protocol):
    """Knows more of a refusal than its status says, also of calls that are not its own, such as those of the proxy."""

    def interpret(self, response: httpx.Response) -> Fault:
        """Name what an answer without success means. Its body has been read; nothing is sent and nothing raised."""
        ...


@runtime_checkable
class CaseBlind(Protocol):
    """Takes the names of fields in any case, so that ``description`` and ``Description`` are one field."""

    @property
    def ignores_case(self) -> Literal[True]:
        """Always true; a connector that minds case does not have this."""
        ...


@runtime_checkable
class Textual(Protocol):
    """Takes the values of fields as text, so that ``5`` and ``"5"`` say the same."""

    @property
    def values_are_text(self) -> Literal[True]:
        """Always true; a connector that minds types does not have this."""
        ...
