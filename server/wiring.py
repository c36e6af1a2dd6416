"""Makes the services out of a store, connectors and a transport: for `isthmus serve`, the demo and the tests alike."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import httpx

from connectors.connector import Connector, Flow
from connectors.departure import Permit
from connectors.errors import Refused
from connectors.grants import Granted
from connectors.relay import UNRENEWED, relay
from connectors.signatures import ConnectionAuth, Verdicts
from connectors.transport import OnSend, perform
from installations.record import Fault
from server.access.keyring import Keyring
from server.access.limits import Limits
from server.accounts import Accounts
from server.changes import Changes
from server.clock import Clock, NewId, new_id, process_name, utc_now
from server.delivering.beat import DEAD_AFTER_SECONDS, Beat
from server.delivering.calls import Calls
from server.delivering.completion import Completion
from server.delivering.deliveries import Deliveries
from server.delivering.interventions import Interventions
from server.delivering.look_ups import Perform
from server.delivering.looking import Looking
from server.delivering.quarantine import Quarantine
from server.delivering.recovery import Recovery
from server.delivering.replays import Replays
from server.delivering.rounds import Rounds
from server.delivering.settling import Settling
from server.delivering.turns import Turns
from server.delivering.visits import Means
from server.delivering.worker import Worker
from server.directory import Directory
from server.engine.embedded import EmbeddedEngine
from server.engine.port import Engine
from server.notifying.bell import Bell
from server.notifying.courier import Courier
from server.places import Places
from server.proxying.destinations import Destinations
from server.proxying.passing import Proxy, Relay
from server.services import Services
from server.settings import Settings
from server.store.contract import Store
from server.tokens.grants import Ask
from server.tokens.pace import Pace
from server.tokens.tokens import Tokens

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
    pace: Pace | None = None,
    engine: Engine | None = None,
    jitter: Callable[[], float] = random.random,
) -> Services:
    """Put everything together; nothing is started. ``owner`` names this process among all that share the store.

    Without an ``engine`` lanes are attended to in this process alone.
    """
    known, pace, name = tuple(connectors), pace or Pace(), owner or process_name()
    tokens = Tokens(
        store,
        Places(known, provider_urls=settings.provider_urls),
        ask=asking(transport, pace),
        clock=clock,
        new_id=new_id,
        owner=name,
        pace=pace,
    )
    accounts = Accounts(known, provider_urls=settings.provider_urls, store=store, tokens=tokens)
    directory = Directory(store, accounts)
    send = performing(transport)
    limits = Limits(settings)
    engine = engine or EmbeddedEngine(clock=clock)
    bell, beat, places = Bell(), Beat(), Turns()
    completion = Completion(directory, new_id=new_id)
    looking = Looking(store, directory, perform=send, clock=clock)
    worker = Worker(
        store,
        engine,
        Means(
            store=store,
            calls=Calls(
                store,
                directory,
                perform=send,
                turns=places,
                clock=clock,
                jitter=jitter,
                permit=beat.is_fresh,
                can_look_up=looking.can_look_up,
            ),
            looking=looking,
            settling=Settling(store, completion, ring=bell.ring),
            quarantine=Quarantine(),
            budget=limits,
            clock=clock,
            monotonic=time.monotonic,
            jitter=jitter,
            permit=beat.is_fresh,
            slots=asyncio.Semaphore(settings.worker_concurrency),
            concurrency=settings.connection_concurrency,
            owner=name,
        ),
        dead_after_seconds=DEAD_AFTER_SECONDS,
    )
    return Services(
        settings=settings,
        store=store,
        keyring=Keyring(store, public_url=settings.public_url, clock=clock),
        limits=limits,
        changes=Changes(),
        accounts=accounts,
        tokens=tokens,
        perform=send,
        directory=directory,
        deliveries=Deliveries(
            store=store,
            directory=directory,
            perform=send,
            waking=worker,
            turns=places,
            permit=beat.is_fresh,
            clock=clock,
            new_id=new_id,
            owner=name,
        ),
        engine=engine,
        worker=worker,
        beat=beat,
        interventions=Interventions(store, waking=worker, completion=completion, clock=clock, ring=bell.ring),
        replays=Replays(store, waking=worker, clock=clock, new_id=new_id),
        recovery=Recovery(store, looking, completion, clock=clock),
        rounds=Rounds(
            store,
            engine,
            looking,
            completion,
            clock=clock,
            jitter=jitter,
            dead_after_seconds=DEAD_AFTER_SECONDS,
            retention=timedelta(days=settings.retention_days),
            payload_retention=timedelta(days=settings.payload_days),
        ),
        proxy=Proxy(Destinations(store, accounts), relay=relaying(transport), limits=limits, clock=clock),
        courier=Courier(transport),
        bell=bell,
        clock=clock,
        new_id=new_id,
        owner=name,
    )


def performing(transport: httpx.AsyncBaseTransport) -> Perform:
    """Bind the transport, so that nobody else needs to know it. Connections hear what their providers say to them."""

    async def send(
        flow: Flow[T],
        *,
        auth: httpx.Auth,
        origin: str,
        on_send: OnSend | None = None,
        permit: Permit | None = None,
    ) -> T:
        verdicts: Verdicts | None = getattr(auth, "verdicts", None)
        version = 0 if verdicts is None else verdicts.version
        try:
            result = await perform(flow, transport=transport, auth=auth, origin=origin, on_send=on_send, permit=permit)
        except Refused as error:
            if verdicts is not None and error.fault.kind == "auth":
                await verdicts.refused(error.fault, version=version)
            raise
        if verdicts is not None and verdicts.troubled:
            verdicts.accepted()
        return result

    return send


def relaying(transport: httpx.AsyncBaseTransport) -> Relay:
    """Bind the transport for calls that are passed through. Connections hear what comes of these as well."""

    @asynccontextmanager
    async def send(
        request: httpx.Request, *, auth: httpx.Auth, origin: str, deadline: float
    ) -> AsyncIterator[httpx.Response]:
        verdicts: Verdicts | None = getattr(auth, "verdicts", None)
        version = verdicts.version if verdicts is not None else 0
        async with relay(request, transport=transport, auth=auth, origin=origin, deadline=deadline) as response:
            if verdicts is not None:
                await _hear(verdicts, response, version=version)
            yield response

    return send


async def _hear(verdicts: Verdicts, response: httpx.Response, *, version: int) -> None:
    """Tell a connection what an answer says of its credentials of that version."""
    if response.status_code == HTTPStatus.UNAUTHORIZED and not response.extensions.get(UNRENEWED):
        fault = Fault(kind="auth", message="the provider answered 401", status=response.status_code)
        await verdicts.refused(fault, version=version)
    elif verdicts.troubled and response.is_success:
        verdicts.accepted()


def asking(transport: httpx.AsyncBaseTransport, pace: Pace) -> Ask:
    """Bind the transport for grants, which prove themselves in what they send."""

    async def ask(flow: Flow[Granted], url: str) -> Granted:
        return await perform(
            flow, transport=transport, auth=ConnectionAuth(), origin=url, deadline_seconds=pace.deadline_seconds
        )

    return ask
