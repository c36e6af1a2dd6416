"""What was last found in each installation's account, as rows."""

from datetime import datetime

import msgspec

from installations.errors import Issue
from server.store.contract import Decide, Missing, SchemaCheck
from server.store.engine import Row
from server.store.rows.events import store_event
from server.store.rows.scope import Rows, text_of
from server.store.tables import Installations, SchemaChecks

DUE = (
    "SELECT i.project_id, i.id FROM installations i JOIN connections c ON c.id = i.connection_id "
    "LEFT JOIN schema_checks s ON s.installation_id = i.id WHERE c.status <> 'bad_credentials' "
    "AND (COALESCE(s.check_time, i.update_time, i.create_time) NOT BETWEEN {} AND {} "
    "OR (s.broken AND s.config_id <> i.config_id)) "
    "ORDER BY COALESCE(s.check_time, i.update_time, i.create_time), i.id LIMIT {}"
)


class SchemaCheckRows(Rows):
    """Implements `contract.SchemaChecks`."""

    async def schema_check(self, project_id: str, installation_id: str) -> SchemaCheck | None:
        """Find the last one."""
        async with self.reading():
            return await _found(project_id, installation_id)

    async def schema_checks(self, project_id: str, *, broken: bool | None = None) -> list[SchemaCheck]:
        """List the last ones."""
        query = SchemaChecks.select().where(SchemaChecks.project_id == project_id)
        if broken is not None:
            query = query.where(SchemaChecks.broken == broken)
        async with self.reading():
            return [_check(row) for row in await query.order_by(SchemaChecks.id)]

    async def keep_schema_check(self, project_id: str, installation_id: str, decide: Decide) -> SchemaCheck:
        """Keep a finding and store its event."""
        async with self.writing():
            await _hold(project_id, installation_id)
            check, event = decide(await _found(project_id, installation_id))
            row = SchemaChecks(
                id=installation_id,
                project_id=project_id,
                installation_id=installation_id,
                config_id=check.config_id,
                broken=check.broken,
                issues=text_of(check.issues),
                check_time=check.check_time,
                broken_since=check.broken_since,
            )
            everything = SchemaChecks.all_columns(exclude=[SchemaChecks.id])
            await SchemaChecks.insert(row).on_conflict(SchemaChecks.id, action="DO UPDATE", values=everything)
            await store_event(project_id, event)
            return check

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """List what was not checked lately."""
        async with self.reading():
            rows = await SchemaChecks.raw(DUE, before, now, limit)
        return [(row["project_id"], row["id"]) for row in rows]


async def _hold(project_id: str, installation_id: str) -> None:
    """Lock the installation's row until the transaction ends, on both databases; it is not changed."""
    rows = await Installations.raw(
        "UPDATE installations SET config_id = config_id WHERE project_id = {} AND id = {} RETURNING id",
        project_id,
        installation_id,
    )
    if not rows:
        raise Missing(f"no installation {installation_id!r}")


async def _found(project_id: str, installation_id: str) -> SchemaCheck | None:
    rows = await SchemaChecks.select().where(
        SchemaChecks.project_id == project_id, SchemaChecks.installation_id == installation_id
    )
    return _check(rows[0]) if rows else None


def _check(row: Row) -> SchemaCheck:
    return SchemaCheck(
        project_id=row["project_id"],
        installation_id=row["installation_id"],
        config_id=row["config_id"],
        broken=row["broken"],
        issues=msgspec.json.decode(row["issues"], type=tuple[Issue, ...]),
        check_time=row["check_time"],
        broken_since=row["broken_since"],
    )
