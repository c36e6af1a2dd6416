"""What the nouns share whose changes go through group commit, and how lane work finds its transaction."""

from typing import Any

from server.store.commits import Commits
from server.store.contract import Unavailable
from server.store.engine import Database, Session
from server.store.hot import Visited, Visiting
from server.store.keyring import Keyring
from server.store.rows.scope import Rows
from server.store.steps import Visit, drive_in


class CommittingRows(Rows):
    """Rows that share commits."""

    def __init__(self, database: Database, keyring: Keyring, commits: Commits) -> None:
        super().__init__(database, keyring)
        self._commits = commits

    async def visit(self, visit: Visit, *, again: Visit | None = None, wakes: tuple[str, ...] = ()) -> Any:
        """Do work in a transaction: a shared one where there is one writer, else one of its own.

        There it is done once more if the connection broke, by ``again`` if that is given: it may have been done
        already. ``wakes`` are the lanes that may have work now.
        """
        if self._database.dialect == "sqlite":
            result = await self._commits.submit(Visiting(visit=visit))
            return result.value if isinstance(result, Visited) else None
        try:
            return await self._visit_alone(visit, wakes)
        except Unavailable:
            return await self._visit_alone(again or visit, wakes)

    async def _visit_alone(self, visit: Visit, wakes: tuple[str, ...]) -> Any:
        async with self.writing() as session:
            value = await drive_in(session, visit(session.dialect))
            await self._announce(session, wakes)
            return value

    async def _announce(self, session: Session, lane_ids: tuple[str, ...]) -> None:
        if lane_ids:
            await self._commits.announce(session, lane_ids)
