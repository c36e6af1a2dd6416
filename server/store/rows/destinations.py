"""Destinations as rows: their URLs, headers and signing keys sealed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from connectors.secret import Veiled
from server.store.contract import Destination, Missing, Superseded, Taken
from server.store.engine import Row
from server.store.keyring import hold
from server.store.rows.scope import Rows, find, given, insert, or_unset, with_fresh_keys
from server.store.tables import Destinations
from server.store.vault import Box

TABLE = "destinations"


class Address(Veiled, frozen=True, kw_only=True):
    """What is sealed together: where messages go, and what goes along."""

    url: str
    headers: Mapping[str, str]


class DestinationRows(Rows):
    """Implements `contract.Destinations`."""

    @with_fresh_keys
    async def create_destination(self, destination: Destination, *, signing_keys: bytes) -> None:
        """Store one."""
        box = await self.box(destination.project_id)
        async with self.changing():
            await hold(box)
            await _refuse_taken(destination.project_id, destination.name)
            await insert(
                Destinations,
                id=destination.id,
                project_id=destination.project_id,
                name=destination.name,
                address=_sealed(box, destination.id, url=destination.url, headers=destination.headers),
                signing_keys=box.seal(signing_keys, table=TABLE, column="signing_keys", row_id=destination.id),
                disabled=destination.disabled,
                failing_since=destination.failing_since,
                create_time=destination.create_time,
                update_time=destination.update_time or None,
            )

    @with_fresh_keys
    async def destinations(self, project_id: str) -> list[Destination]:
        """List, oldest first."""
        box = await self.box(project_id)
        async with self.reading():
            rows = await (
                Destinations.select()
                .where(Destinations.project_id == project_id)
                .order_by(Destinations.create_time, Destinations.id)
            )
        return [_destination(row, box) for row in rows]

    @with_fresh_keys
    async def destination(self, project_id: str, id_or_name: str) -> Destination:
        """Find one; an id stands before a name."""
        box = await self.box(project_id)
        named = (Destinations.id == id_or_name) | (Destinations.name == id_or_name)
        async with self.reading():
            rows = await Destinations.select().where(Destinations.project_id == project_id, named)
        for row in sorted(rows, key=lambda one: one["id"] != id_or_name):
            return _destination(row, box)
        raise Missing(f"no destination {id_or_name!r}")

    @with_fresh_keys
    async def update_destination(
        self,
        project_id: str,
        destination_id: str,
        *,
        now: datetime,
        name: str | UnsetType = UNSET,
        url: str | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
        enabled: Literal[True] | UnsetType = UNSET,
    ) -> Destination:
        """Change what is given."""
        box = await self.box(project_id)
        async with self.changing():
            await hold(box)
            before = _destination(await find(Destinations, project_id, destination_id, noun="destination"), box)
            changes: dict[Any, Any] = given({Destinations.name: name, Destinations.update_time: now})
            if name is not UNSET:
                await _refuse_taken(project_id, name, but=destination_id)
            if url is not UNSET or headers is not UNSET:
                changes[Destinations.address] = _sealed(
                    box,
                    destination_id,
                    url=before.url if url is UNSET else url,
                    headers=before.headers if headers is UNSET else headers,
                )
            if enabled is not UNSET:
                changes |= {Destinations.disabled: "", Destinations.failing_since: None}
            await Destinations.update(changes).where(_mine(project_id, destination_id))
            return _destination(await find(Destinations, project_id, destination_id, noun="destination"), box)

    async def delete_destination(self, project_id: str, destination_id: str) -> None:
        """Remove one with its routes and deliveries."""
        async with self.changing():
            await find(Destinations, project_id, destination_id, noun="destination")
            await Destinations.delete().where(_mine(project_id, destination_id))

    @with_fresh_keys
    async def signing_keys(self, project_id: str, destination_id: str) -> bytes:
        """Open the signing keys."""
        box = await self.box(project_id)
        async with self.reading():
            row = await find(Destinations, project_id, destination_id, noun="destination")
        return box.open(row["signing_keys"], table=TABLE, column="signing_keys", row_id=destination_id)

    @with_fresh_keys
    async def replace_signing_keys(
        self, project_id: str, destination_id: str, signing_keys: bytes, *, if_keys: bytes, now: datetime
    ) -> None:
        """Replace the signing keys, if they are still the expected ones."""
        box = await self.box(project_id)
        async with self.changing():
            await hold(box)
            row = await find(Destinations, project_id, destination_id, noun="destination")
            if box.open(row["signing_keys"], table=TABLE, column="signing_keys", row_id=destination_id) != if_keys:
                raise Superseded("the signing keys were rotated by somebody else; ask again")
            sealed = box.seal(signing_keys, table=TABLE, column="signing_keys", row_id=destination_id)
            await Destinations.update({Destinations.signing_keys: sealed, Destinations.update_time: now}).where(
                _mine(project_id, destination_id)
            )


def _mine(project_id: str, destination_id: str) -> Any:
    return (Destinations.project_id == project_id) & (Destinations.id == destination_id)


async def _refuse_taken(project_id: str, name: str, *, but: str = "") -> None:
    rows = await Destinations.select(Destinations.id).where(
        Destinations.project_id == project_id, Destinations.name == name, Destinations.id != but
    )
    if rows:
        raise Taken(f"there is a destination {name!r} already", existing_id=rows[0]["id"])


def _sealed(box: Box, destination_id: str, *, url: str, headers: Mapping[str, str]) -> bytes:
    plain = msgspec.json.encode(Address(url=url, headers=headers))
    return box.seal(plain, table=TABLE, column="address", row_id=destination_id)


def _destination(row: Row, box: Box) -> Destination:
    address = msgspec.json.decode(
        box.open(row["address"], table=TABLE, column="address", row_id=row["id"]), type=Address
    )
    return Destination(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        url=address.url,
        headers=address.headers,
        disabled=row["disabled"],
        failing_since=row["failing_since"],
        create_time=row["create_time"],
        update_time=or_unset(row["update_time"]),
    )
