"""What was last found in each installation's account, in memory."""

from datetime import datetime

from server.store.contract import Decide, SchemaCheck
from server.store.memory.shelf import Shelf, find


class MemorySchemaChecks(Shelf):
    """Implements `contract.SchemaChecks`. A finding whose installation is gone is not seen any more."""

    async def schema_check(self, project_id: str, installation_id: str) -> SchemaCheck | None:
        """Find the last one."""
        found = self.checks_by_installation.get(installation_id)
        seen = found is not None and found.project_id == project_id and installation_id in self.installations_by_id
        return found if seen else None

    async def schema_checks(self, project_id: str, *, broken: bool | None = None) -> list[SchemaCheck]:
        """List the last ones."""
        found = [await self.schema_check(project_id, each) for each in sorted(self.checks_by_installation)]
        return [check for check in found if check is not None and broken in (None, check.broken)]

    async def keep_schema_check(self, project_id: str, installation_id: str, decide: Decide) -> SchemaCheck:
        """Keep a finding and store its event."""
        find(self.installations_by_id, project_id, installation_id, noun="installation")
        check, event = decide(await self.schema_check(project_id, installation_id))
        self.checks_by_installation[installation_id] = check
        self.tell(project_id, event)
        return check

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """List what was not checked lately."""
        due: list[tuple[datetime, str, str]] = []
        for each in self.installations_by_id.values():
            last = self.checks_by_installation.get(each.id)
            since = last.check_time if last else each.update_time or each.create_time
            changed = last is not None and last.broken and last.config_id != each.config.id
            askable = self.connections_by_id[each.connection.id].status != "bad_credentials"
            if askable and (not before <= since <= now or changed):
                due.append((since, each.id, each.project_id))
        return [(project_id, installation_id) for _, installation_id, project_id in sorted(due)[:limit]]
