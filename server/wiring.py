"""Makes the services out of a store, connectors and a transport: for `isthmus serve`, the demo and the tests alike."""

from collections.abc import Iterable
from typing import TypeVar

import httpx

from connectors.connector import Connector, Flow
from connectors.transport import perform
from server.access.keyring import Keyring
from server.access.limits import Limits
from server.accounts import Accounts
from server.changes import Changes
from server.clock import Clock, NewId, new_id, process_name, utc_now
from server.deliveries import Deliveries
from server.directory import Directory
from server.look_ups import Perform
from server.services import Services
from server.settings import Settings
from server.store.contract import Store

T = TypeVar("T")


def build_services(
    settings: Settings,
    *,
    store: Store,
    connectors: Iterable[Connector],
    transport: httpx.AsyncBaseTransport,
    clock: Clock = utc_now,
    new_id: NewId = new_id,
    owner: str | None = None,
) -> Services:
    """Put everything together; nothing is started. ``owner`` names this process among all that share the store."""
    accounts = Accounts(connectors, store=store, provider_urls=settings.provider_urls)
    directory = Directory(store, accounts)
    send = performing(transport)
    name = owner or process_name()
    return Services(
        settings=settings,
        store=store,
        keyring=Keyring(store, public_url=settings.public_url, clock=clock),
        limits=Limits(settings),
        changes=Changes(),
        accounts=accounts,
        perform=send,
        directory=directory,
        deliveries=Deliveries(store=store, directory=directory, perform=send, clock=clock, new_id=new_id, owner=name),
        clock=clock,
        new_id=new_id,
        owner=name,
    )


def performing(transport: httpx.AsyncBaseTransport) -> Perform:
    """Bind the transport, so that nobody else needs to know it."""

    async def send(flow: Flow[T], *, auth: httpx.Auth, origin: str) -> T:
        return await perform(flow, transport=transport, auth=auth, origin=origin)

    return send
