"""What a customer gave is given once: it is stored although the database is away for a moment."""

from typing import Any

import pytest

from installations.installation import Connection
from server.store.contract import Event, NewConnection, Unavailable
from server.store.memory import MemoryStore
from tests.server.connecting.desk import open_desk


class Balky(MemoryStore):
    """A store that is away for some calls, or whose answers to them are lost."""

    def __init__(self, *, away: int = 0, lost: int = 0) -> None:
        super().__init__()
        self.away = away
        self.lost = lost

    async def create_connection(self, new: NewConnection, *, event: Event | None = None) -> Connection:
        self._be_away()
        made = await super().create_connection(new, event=event)
        self._lose()
        return made

    async def update_connection(self, *names: Any, **changes: Any) -> Connection:
        self._be_away()
        changed = await super().update_connection(*names, **changes)
        self._lose()
        return changed

    def _be_away(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("the database is away")

    def _lose(self) -> None:
        if self.lost > 0:
            self.lost -= 1
            raise Unavailable("the answer to the commit was lost")


@pytest.mark.parametrize("trouble", [{"away": 2}, {"lost": 1}, {"away": 1, "lost": 1}], ids=str)
async def test_a_consent_survives_a_database_that_is_away_for_a_moment(trouble: dict[str, int]) -> None:
    store = Balky()
    async with open_desk(store) as desk:
        await desk.registered()
        for ends in ("made", "healed"):
            store.away, store.lost = trouble.get("away", 0), trouble.get("lost", 0)
            connection = await desk.connected()
            assert await desk.connections() == [connection], ends
            assert (store.away, store.lost) == (0, 0)
