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
import msgspec

from connectors.connector import Connector, Flow
from connectors.departure import Permit
from connectors.errors import Refused
from connectors.grants import Granted
from connectors.relay import UNRENEWED, relay
from connectors.signatures import ConnectionAuth, Verdicts
from connectors.transport import OnSend, perform
from headless.embed import Assets, read_assets
from installations.record import Fault
from server.access.keyring import Keyring
from server.access.limits import Limits
from server.access.sessions import Sessions
from server.accounts import Accounts
from server.changes import Changes
from server.clock import Clock, NewId, new_id, process_name, utc_now
from server.delivering.beat import DEAD_AFTER_SECONDS, Beat
from server.delivering.calls import Calls
from server.delivering.completion import Completion
from server.delivering.deliveries import TURN_SECONDS, Deliveries
from server.delivering.holds import Holds
from server.delivering.interventions import Interventions
from server.delivering.look_ups import Perform
from server.delivering.looking import Looking
from server.delivering.means import Means
from server.delivering.quarantine import Quarantine
from server.delivering.recovery import Recovery
from server.delivering.replays import Replays
from server.delivering.rounds import Rounds
from server.delivering.settling import Settling
from server.delivering.turns import Turns
from server.delivering.worker import Worker
from server.directory import Directory
from server.engine.embedded import EmbeddedEngine
from server.engine.port import Engine
from server.notifying.bell import Bell
from server.notifying.courier import Courier
from server.places import Places
from server.proxying.destinations import Destinations
from server.proxying.passing import Proxy, Relay
from server.schemas import Schemas
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
    assets: Assets | None = None,
    turn_seconds: float = TURN_SECONDS,
) -> Services:
    """Put everything together; nothing is started. ``owner`` names this process among all that share the store.

    Without an ``engine`` lanes are attended to in this process alone; without ``assets`` those that are built in are
    served. ``turn_seconds`` is how long the caller of a write waits for the record's turn.
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
    ground = _Ground(
        settings=settings,
        store=store,
        directory=Directory(store, accounts),
        send=performing(transport),
        limits=Limits(settings),
        engine=engine or EmbeddedEngine(clock=clock),
        bell=Bell(),
        clock=clock,
        new_id=new_id,
        jitter=jitter,
        owner=name,
        assets=assets or read_assets(),
        turn_seconds=turn_seconds,
    )
    return _services(ground, _delivering(ground), accounts=accounts, tokens=tokens, transport=transport)


def _services(
    on: "_Ground", made: "_Delivering", *, accounts: Accounts, tokens: Tokens, transport: httpx.AsyncBaseTransport
) -> Services:
    return Services(
        settings=on.settings,
        store=on.store,
        keyring=Keyring(on.store, public_url=on.settings.public_url, clock=on.clock),
        limits=on.limits,
        sessions=Sessions(on.store, clock=on.clock, new_id=on.new_id),
        changes=Changes(),
        accounts=accounts,
        tokens=tokens,
        perform=on.send,
        directory=on.directory,
        schemas=Schemas(accounts, perform=on.send),
        deliveries=made.deliveries,
        engine=made.engine,
        worker=made.worker,
        beat=made.beat,
        interventions=made.interventions,
        replays=made.replays,
        recovery=made.recovery,
        rounds=made.rounds,
        proxy=Proxy(Destinations(on.store, accounts), relay=relaying(transport), limits=on.limits, clock=on.clock),
        courier=Courier(transport),
        bell=on.bell,
        assets=on.assets,
        editing=Turns(),
        clock=on.clock,
        new_id=on.new_id,
        owner=on.owner,
    )


class _Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What everything about deliveries stands on."""

    settings: Settings
    store: Store
    directory: Directory
    send: Perform
    limits: Limits
    engine: Engine
    bell: Bell
    clock: Clock
    new_id: NewId
    jitter: Callable[[], float]
    owner: str
    assets: Assets
    turn_seconds: float


class _Delivering(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about deliveries."""

    deliveries: Deliveries
    engine: Engine
    worker: Worker
    beat: Beat
    interventions: Interventions
    replays: Replays
    recovery: Recovery
    rounds: Rounds


def _delivering(on: _Ground) -> _Delivering:
    store, clock, new_id, beat, turns = on.store, on.clock, on.new_id, Beat(), Turns()
    holds = Holds(clock=clock)
    completion = Completion(on.directory, new_id=new_id)
    looking = Looking(store, on.directory, perform=on.send, clock=clock)
    means = _means(on, looking=looking, completion=completion, beat=beat, turns=turns, holds=holds)
    # An engine that other processes share is told in the store's own transactions (`server.engine.opening.announcing`).
    told = not isinstance(on.engine, EmbeddedEngine)
    worker = Worker(store, on.engine, means, dead_after_seconds=DEAD_AFTER_SECONDS, told=told)
    return _Delivering(
        deliveries=Deliveries(
            store=store,
            directory=on.directory,
            perform=on.send,
            waking=worker,
            turns=turns,
            holds=holds,
            permits=beat.permit,
            clock=clock,
            new_id=new_id,
            owner=on.owner,
            turn_seconds=on.turn_seconds,
        ),
        engine=on.engine,
        worker=worker,
        beat=beat,
        interventions=Interventions(
            store, waking=worker, completion=completion, looking=looking, clock=clock, ring=on.bell.ring
        ),
        replays=Replays(store, on.directory, waking=worker, clock=clock, new_id=new_id),
        recovery=Recovery(store, looking, completion, clock=clock),
        rounds=Rounds(
            store,
            on.engine,
            looking,
            completion,
            clock=clock,
            jitter=on.jitter,
            dead_after_seconds=DEAD_AFTER_SECONDS,
            retention=timedelta(days=on.settings.retention_days),
            payload_retention=timedelta(days=on.settings.payload_days),
        ),
    )


def _means(on: _Ground, *, looking: Looking, completion: Completion, beat: Beat, turns: Turns, holds: Holds) -> Means:
    calls = Calls(
        on.store,
        on.directory,
        perform=on.send,
        turns=turns,
        holds=holds,
        clock=on.clock,
        jitter=on.jitter,
        permits=beat.permit,
        can_look_up=looking.can_look_up,
    )
    return Means(
        store=on.store,
        calls=calls,
        looking=looking,
        settling=Settling(on.store, completion, ring=on.bell.ring),
        quarantine=Quarantine(),
        holds=holds,
        budget=on.limits,
        clock=on.clock,
        monotonic=time.monotonic,
        jitter=on.jitter,
        permit=beat.is_fresh,
        slots=asyncio.Semaphore(on.settings.worker_concurrency),
        concurrency=on.settings.connection_concurrency,
        owner=on.owner,
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
        fresh: bool = False,
    ) -> T:
        verdicts: Verdicts | None = getattr(auth, "verdicts", None)
        version = 0 if verdicts is None else verdicts.version
        try:
            result = await perform(
                flow, transport=transport, auth=auth, origin=origin, on_send=on_send, permit=permit, fresh=fresh
            )
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
