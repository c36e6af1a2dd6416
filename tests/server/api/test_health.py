"""Whether a process lives and can serve, as a supervisor asks."""

from server.store.contract import Unavailable
from server.store.memory import MemoryStore
from tests.server.house import open_house


async def test_a_process_that_is_about_to_stop_lives_and_is_not_ready() -> None:
    async with open_house() as house:
        assert (await house.client.get("/readyz")).status_code == 200
        house.services.worker.stop()
        answer = await house.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, 503)
        assert (await house.client.get("/healthz")).status_code == 200


class Full(MemoryStore):
    """A database that takes no writes."""

    async def ready(self) -> None:
        raise Unavailable("the disk is full")


async def test_a_process_whose_database_takes_no_writes_is_not_ready() -> None:
    async with open_house(store=Full()) as house:
        assert (await house.client.get("/readyz")).status_code == 503
        assert (await house.client.get("/healthz")).status_code == 200
