"""Runs the server: one process, one event loop, until it is told to stop."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import httpx
import uvicorn

from connectors.catalog import CATALOG
from connectors.gateway import Gateway
from server import logs
from server.app import build_app
from server.clock import Clock, SharedClock, system_time
from server.door.heads import BoundedHeads
from server.engine.opening import announcing, is_distributed, open_engine
from server.liveness import BEAT_SECONDS, living
from server.services import Services
from server.settings import Settings, SettingsError, doubts
from server.store.contract import Store
from server.store.opening import open_store
from server.wiring import build_services

DRAIN_SECONDS = 30
"""How long requests under way may take after SIGTERM."""


class StartFailed(Exception):
    """The server cannot listen; the message is for the operator."""


async def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    works: bool = True,
    listening: Any = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way.

    ``announce`` is told the origin once requests are taken; port 0 lets the kernel choose. With ``works`` it also
    carries out what is accepted asynchronously; without, `work` does in another process. A socket that is ``listening``
    there already is used, and closed in the end.
    Raises `StartFailed`, `SettingsError` and `Unavailable`.
    """
    _check_provider_urls(settings)
    store = open_store(settings, announce=announcing(settings))
    transport = Gateway(allowed_networks=settings.allowed_networks).transport()
    if settings.allowed_networks:
        logs.event("gateway.networks_allowed", networks=[str(network) for network in settings.allowed_networks])
    for doubt in doubts(settings):
        logs.event("settings.doubted", level=logging.WARNING, advice=doubt)
    await store.start()
    try:
        async with _services(settings, store=store, transport=transport) as services:
            app: Any = build_app(services, works=works)
            # Requests and calls have the same time to end in.
            server = _Server(_config(app, host=host, port=port), announce=announce, stopping=services.worker.stop)
            _spare_the_collector()
            try:
                await server.serve(None if listening is None else [listening])
            except SystemExit as error:
                raise StartFailed(
                    f"Cannot listen on {host}:{port}; is something else running there? "
                    "Choose another with --port or --host."
                ) from error
    finally:
        await transport.aclose()
        await store.close()


def _check_provider_urls(settings: Settings) -> None:
    known = [connector.provider.name for connector in CATALOG]
    if strange := sorted(set(settings.provider_urls) - set(known)):
        raise SettingsError(
            f"ISTHMUS_PROVIDER_URLS names {', '.join(strange)}, which is no provider; there are {', '.join(known)}."
        )


async def work(settings: Settings) -> None:
    """Do what a process does unasked until SIGINT or SIGTERM; a second one ends it at once.

    Raises `SettingsError`, `Unavailable`.
    """
    store = open_store(settings, announce=announcing(settings))
    transport = Gateway(allowed_networks=settings.allowed_networks).transport()
    await store.start()
    stopped = asyncio.Event()

    def stop(number: int) -> None:
        if stopped.is_set():
            _end_at_once(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        async with _services(settings, store=store, transport=transport) as services, living(services, kind="worker"):
            logs.event("worker.started")
            await stopped.wait()
    finally:
        await transport.aclose()
        await store.close()


def _end_at_once(number: int) -> None:
    """Die of a signal. What is under way is settled by whoever finds this process dead, as after any other death."""
    logs.event("process.ended_at_once", level=logging.WARNING, signal=signal.Signals(number).name)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@asynccontextmanager
async def _services(
    settings: Settings, *, store: Store, transport: httpx.AsyncBaseTransport
) -> AsyncIterator[Services]:
    async with keeping_time(settings, store) as clock:
        engine = open_engine(settings, clock=clock)
        yield build_services(settings, store=store, connectors=CATALOG, transport=transport, clock=clock, engine=engine)


@asynccontextmanager
async def keeping_time(settings: Settings, store: Store) -> AsyncIterator[Clock]:
    """Give the clock for these settings: the database's where processes share one, else the system's.

    Both may be set while we run. What waits for a moment must not wait an hour longer because a clock went back by one.
    """
    clock = SharedClock(store.time if is_distributed(settings) else system_time)
    await clock.set()
    following = asyncio.create_task(
        clock.follow(every_seconds=BEAT_SECONDS, failed=lambda error: logs.failed("clock.unset", error))
    )
    try:
        yield clock
    finally:
        following.cancel()
        await asyncio.wait({following})


def _spare_the_collector() -> None:
    """Keep what lives as long as the process out of every garbage collection.

    The modules alone are half a million objects, and looking through them stopped all requests for 60 ms at a time.
    Requests leave few circles behind, so that looking for them every 700 objects costs more than they do.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _config(app: Any, *, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedHeads,
        # Nothing here speaks WebSocket, whatever libraries are there: such a connection would pass the front by.
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class _Server(uvicorn.Server):
    """Says where it listens, and lets its caller finish after a signal instead of dying by it."""

    def __init__(
        self, config: uvicorn.Config, *, announce: Callable[[str], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        if self.should_exit:
            _end_at_once(sig)
        super().handle_exit(sig, frame)
        self._stopping()

    async def startup(self, sockets: Any = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully on the first signal, at once on the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
