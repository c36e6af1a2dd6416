"""Integrations and revisions as rows."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from installations.installation import Integration, Revision
from installations.manifest import IntegrationSpec
from server.store.contract import ConnectionEvent, InstallationEvent, InUse
from server.store.engine import Row
from server.store.rows.installations import remove_installations
from server.store.rows.scope import Rows, find, insert, only, or_unset, text_of
from server.store.tables import Installations, Integrations, Revisions


class IntegrationRows(Rows):
    """Implements `contract.Integrations`."""

    async def deploy(
        self, project_id: str, specs: Sequence[IntegrationSpec], *, spec_version: str, now: datetime, ids: Sequence[str]
    ) -> list[Integration]:
        """Upsert by name; equal content keeps its revision."""
        await self.box(project_id)
        async with self.changing():
            pairs = zip(ids[::2], ids[1::2], strict=False)
            names = [
                await _deploy(project_id, spec, spec_version=spec_version, now=now, ids=pair)
                for spec, pair in zip(specs, pairs, strict=True)
            ]
            known = {integration.id: integration for integration in await _list(project_id)}
        return [known[name] for name in names]

    async def integrations(self, project_id: str) -> list[Integration]:
        """List with latest revisions, oldest first."""
        async with self.reading():
            return await _list(project_id)

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one; an id stands before a name."""
        async with self.reading():
            rows = await Integrations.select().where(
                Integrations.project_id == project_id,
                (Integrations.id == id_or_name) | (Integrations.name == id_or_name),
            )
            rows.sort(key=lambda row: row["id"] != id_or_name)
            row = only(rows, noun="integration", name=id_or_name)
            return _integration(row, await find(Revisions, project_id, row["revision_id"], noun="revision"))

    async def revision(self, project_id: str, revision_id: str) -> Revision:
        """Find any revision."""
        async with self.reading():
            return _revision(await find(Revisions, project_id, revision_id, noun="revision"))

    async def delete_integration(
        self,
        project_id: str,
        integration_id: str,
        *,
        event_for: ConnectionEvent | None = None,
        removed: InstallationEvent | None = None,
    ) -> None:
        """Remove an integration with its revisions, its installations and the connections only they used."""
        async with self.changing():
            await find(Integrations, project_id, integration_id, noun="integration")
            mine = (Installations.project_id == project_id) & (Installations.integration_id == integration_id)
            await remove_installations(project_id, mine, event_for, removed)
            await Integrations.delete().where(Integrations.project_id == project_id, Integrations.id == integration_id)


async def _deploy(
    project_id: str, spec: IntegrationSpec, *, spec_version: str, now: datetime, ids: tuple[str, str]
) -> str:
    """Deploy one and answer its id."""
    integration_id, revision_id = ids
    rows = await Integrations.select().where(Integrations.project_id == project_id, Integrations.name == spec.name)
    if rows:
        integration_id = str(rows[0]["id"])
        latest = await find(Revisions, project_id, rows[0]["revision_id"], noun="revision")
        if _revision(latest).content == spec and latest["spec_version"] == spec_version:
            return integration_id
        await _change(rows[0], spec, revision_id=revision_id, now=now)
    else:
        await insert(
            Integrations,
            id=integration_id,
            project_id=project_id,
            name=spec.name,
            provider=spec.provider,
            revision_id=revision_id,
            create_time=now,
        )
    await insert(
        Revisions,
        id=revision_id,
        project_id=project_id,
        integration_id=integration_id,
        spec_version=spec_version,
        content=text_of(spec),
        create_time=now,
    )
    return integration_id


async def _change(row: Row, spec: IntegrationSpec, *, revision_id: str, now: datetime) -> None:
    if spec.provider != row["provider"] and await Installations.exists().where(
        Installations.project_id == row["project_id"], Installations.integration_id == row["id"]
    ):
        raise InUse(f"{spec.name!r} has installations at {row['provider']!r}; its provider cannot change")
    await Integrations.update(
        {Integrations.provider: spec.provider, Integrations.revision_id: revision_id, Integrations.update_time: now}
    ).where(Integrations.project_id == row["project_id"], Integrations.id == row["id"])


async def _list(project_id: str) -> list[Integration]:
    rows = await (
        Integrations.select()
        .where(Integrations.project_id == project_id)
        .order_by(Integrations.create_time, Integrations.id)
    )
    if not rows:
        return []
    revisions = await Revisions.select().where(
        Revisions.project_id == project_id, Revisions.id.is_in([row["revision_id"] for row in rows])
    )
    latest = {revision["id"]: revision for revision in revisions}
    return [_integration(row, latest[row["revision_id"]]) for row in rows]


def _integration(row: Row, revision: Row) -> Integration:
    return Integration(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        provider=row["provider"],
        create_time=row["create_time"],
        latest_revision=_revision(revision),
        update_time=or_unset(row["update_time"]),
    )


def _revision(row: Row) -> Revision:
    return Revision(
        id=row["id"],
        spec_version=row["spec_version"],
        create_time=row["create_time"],
        content=msgspec.json.decode(row["content"], type=IntegrationSpec),
    )
