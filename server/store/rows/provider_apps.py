"""Provider apps as rows, their secrets sealed."""

import msgspec
from msgspec import UNSET

from installations.installation import ProviderApp
from server.store.contract import Taken
from server.store.engine import Row
from server.store.keyring import hold
from server.store.rows.scope import Rows, find, insert, or_unset, text_of, with_fresh_keys
from server.store.tables import ProviderApps
from server.store.vault import Box

TABLE = "provider_apps"


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The members of a provider app that nothing searches by."""

    external_ref: str | None = None
    scopes: tuple[str, ...] | None = None
    metadata: dict[str, object] | None = None


class ProviderAppRows(Rows):
    """Implements `contract.ProviderApps`."""

    @with_fresh_keys
    async def create_provider_app(self, app: ProviderApp, *, client_secret: bytes) -> None:
        """Store one."""
        box = await self.box(app.project_id)
        async with self.changing():
            await hold(box)
            await _refuse_taken(app)
            await insert(
                ProviderApps,
                id=app.id,
                project_id=app.project_id,
                provider=app.provider,
                client_id=app.client_id,
                client_secret=_seal(box, app.id, client_secret),
                details=_details(app),
                create_time=app.create_time,
                update_time=app.update_time or None,
            )

    async def provider_apps(self, project_id: str) -> list[ProviderApp]:
        """List, oldest first."""
        async with self.reading():
            rows = await (
                ProviderApps.select()
                .where(ProviderApps.project_id == project_id)
                .order_by(ProviderApps.create_time, ProviderApps.id)
            )
        return [provider_app(row) for row in rows]

    async def provider_app(self, project_id: str, app_id: str) -> ProviderApp:
        """Find one."""
        async with self.reading():
            return provider_app(await find(ProviderApps, project_id, app_id, noun="provider app"))

    @with_fresh_keys
    async def update_provider_app(
        self, project_id: str, app: ProviderApp, *, client_secret: bytes | None = None
    ) -> ProviderApp:
        """Replace all members but the ids and the time of creation, and the secret where one is given."""
        box = await self.box(project_id)
        app = msgspec.structs.replace(app, project_id=project_id)
        async with self.changing():
            await find(ProviderApps, project_id, app.id, noun="provider app")
            await _refuse_taken(app)
            changes: dict[object, object] = {
                ProviderApps.provider: app.provider,
                ProviderApps.client_id: app.client_id,
                ProviderApps.details: _details(app),
                ProviderApps.update_time: app.update_time or None,
            }
            if client_secret is not None:
                await hold(box)
                changes[ProviderApps.client_secret] = _seal(box, app.id, client_secret)
            await ProviderApps.update(changes).where(  # type: ignore[arg-type]
                ProviderApps.project_id == project_id, ProviderApps.id == app.id
            )
            return provider_app(await find(ProviderApps, project_id, app.id, noun="provider app"))

    async def delete_provider_app(self, project_id: str, app_id: str) -> None:
        """Remove one; connections made with it stay and forget it."""
        async with self.changing():
            await find(ProviderApps, project_id, app_id, noun="provider app")
            await ProviderApps.delete().where(ProviderApps.project_id == project_id, ProviderApps.id == app_id)

    @with_fresh_keys
    async def client_secret(self, project_id: str, app_id: str) -> bytes:
        """Open the secret."""
        box = await self.box(project_id)
        async with self.reading():
            row = await find(ProviderApps, project_id, app_id, noun="provider app")
        return box.open(row["client_secret"], table=TABLE, column="client_secret", row_id=app_id)


def provider_app(row: Row) -> ProviderApp:
    """Make the struct of a row."""
    details = msgspec.json.decode(row["details"], type=Details)
    return ProviderApp(
        id=row["id"],
        project_id=row["project_id"],
        provider=row["provider"],
        client_id=row["client_id"],
        create_time=row["create_time"],
        external_ref=or_unset(details.external_ref),
        scopes=or_unset(details.scopes),
        metadata=or_unset(details.metadata),
        update_time=or_unset(row["update_time"]),
    )


async def _refuse_taken(app: ProviderApp) -> None:
    rows = await ProviderApps.select(ProviderApps.id).where(
        ProviderApps.project_id == app.project_id,
        ProviderApps.provider == app.provider,
        ProviderApps.client_id == app.client_id,
        ProviderApps.id != app.id,
    )
    if rows:
        raise Taken(f"there is an app for {app.provider!r} with this client id already", existing_id=rows[0]["id"])


def _details(app: ProviderApp) -> str:
    members = {name: getattr(app, name) for name in Details.__struct_fields__}
    return text_of(Details(**{name: None if value is UNSET else value for name, value in members.items()}))


def _seal(box: Box, app_id: str, client_secret: bytes) -> bytes:
    return box.seal(client_secret, table=TABLE, column="client_secret", row_id=app_id)
