"""A notifier over a store, with a clock that a test moves and a project that has something to tell."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import msgspec

from connectors.gateway import Gateway
from server.clock import new_id
from server.notifying.bell import Bell
from server.notifying.courier import Courier
from server.notifying.notifier import Notifier
from server.notifying.rounds import Rounds
from server.notifying.signing import new_keys, parse_keys
from server.store.contract import Delivery, DeliveryFilter, Destination, Event, Store
from tests.server.store.samples import connection, destination_route, event_route, project, topic

LOOPBACK = ip_network("127.0.0.0/8")


class Office(msgspec.Struct, kw_only=True):
    """Everything that delivers, and what a test asks of it."""

    store: Store
    notifier: Notifier
    now: datetime
    told: int = 0

    def pass_time(self, time: timedelta) -> None:
        self.now += time

    async def work(self) -> None:
        """Do all that is due now, and wait for it."""
        while await self.notifier.look():
            pass
        await self.notifier.idle()

    async def tell(self, count: int = 1) -> list[str]:
        """Store so many events; their ids."""
        ids = [f"event-{self.told + number:05}" for number in range(count)]
        self.told += count
        for name in ids:
            event = Event(
                id=name, project_id="p1", type="connection.updated", data=b'{"connectionId":"c1"}', create_time=self.now
            )
            await self.store.update_connection("p1", "c1", now=self.now, event=event)
        return ids

    async def send_to(self, url: str, name: str = "d1", **headers: str) -> str:
        """Name a receiver of the events; its signing key."""
        made = Destination(id=name, project_id="p1", name=name, url=url, headers=headers, create_time=self.now)
        keys = new_keys()
        await self.store.create_destination(made, signing_keys=keys)
        await self.store.create_destination_route(destination_route(id=f"r-{name}", destination_id=name))
        return parse_keys(keys)[0].key.reveal()

    async def deliveries(self, name: str = "d1") -> list[Delivery]:
        page = await self.store.deliveries("p1", name, DeliveryFilter(), page_size=1000)
        return list(page.results)[::-1]

    async def states(self, name: str = "d1") -> list[str]:
        return [one.state for one in await self.deliveries(name)]


@asynccontextmanager
async def office(
    store: Store, *, furnish: bool = True, owner: str = "me", jitter: float = 0.0, answer_seconds: float = 15.0
) -> AsyncIterator[Office]:
    """Open one over a store that is started; ``furnish`` makes the project first."""
    transport = Gateway(allowed_networks=[LOOPBACK]).transport()
    start = datetime.now(UTC)
    made: Office

    def clock() -> datetime:
        return made.now

    rounds = Rounds(
        store,
        Courier(transport, answer_seconds=answer_seconds).hand_over,
        clock=clock,
        new_id=new_id,
        owner=owner,
        jitter=lambda: jitter,
    )
    notifier = Notifier(store, rounds, bell=Bell(), clock=clock, dead_after_seconds=15.0, stop_seconds=0.1)
    made = Office(store=store, notifier=notifier, now=start)
    if furnish:
        await store.create_project(project())
        await store.create_connection(connection())
        await store.create_topic(topic())
        await store.create_event_route(event_route())
    try:
        yield made
    finally:
        await transport.aclose()
