"""What it costs to know who calls: a route behind the guard, against the same route without one.

    python -m tests.benchmarks.access

One handler stands open and guarded, in one server under uvicorn in a process of its own, pinned to one core, over
SQLite. A credential is known when it was shown a moment ago; a token is new when its signature has to be checked.
Rounds are interleaved; medians, and their ratios to the open route, are printed.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext

import uvicorn
from litestar import Litestar, Router
from litestar.di import Provide

from connectors.catalog import CATALOG
from connectors.gateway import Gateway
from installations.installation import JwtKey, Project
from server.access.guards import requires_any_key
from server.access.keys import new_key
from server.api.provided import Provided, services_of
from server.api.providers import get_provider
from server.door.browsers import Browsers
from server.door.front import Front
from server.services import Services
from server.settings import Settings
from server.store.opening import open_store
from server.wiring import build_services
from tests.benchmarks.loads import Load, cpu_seconds, get, load
from tests.benchmarks.writes import LOAD_CORE, answers, free_port, process
from tests.server.house import START, stored_key
from tests.server.signing import claims_at, header_for, public_pem, signed

CONNECTIONS = 16
REQUESTS = 2_000
ROUNDS = 5
OPEN, GUARDED = "/v1/providers/sandbox", "/guarded/v1/providers/sandbox"
KEY_ID = "01a20000-0000-7000-8000-000000000000"


def settings_for(folder: str) -> Settings:
    """Keep everything in one folder, and let everybody come as often as they like."""
    return Settings(database_url=f"sqlite:///{folder}/bench.db", browser_rate=None, failure_rate=None)


async def furnish(folder: str, key: str) -> None:
    """Make a project with an API key and a JWT key."""
    store = open_store(settings_for(folder))
    await store.start()
    await store.create_project(
        Project(id="p", name="bench", app_name="Bench", org_id="o", create_time=START), key=stored_key("p", key)
    )
    jwt_key = JwtKey(
        id=KEY_ID,
        project_id="p",
        label="bench",
        public_key_pem=public_pem(),
        active=True,
        create_time=START,
        update_time=START,
    )
    await store.add_jwt_key(jwt_key)
    await store.close()


async def serve(folder: str, port: int) -> None:
    """Serve the handler twice."""
    settings = settings_for(folder)
    store, transport = open_store(settings), Gateway().transport()
    await store.start()
    app = build(build_services(settings, store=store, connectors=CATALOG, transport=transport))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, http="httptools", access_log=False, log_level="error")
    await uvicorn.Server(config).serve()


def build(services: Services) -> Front:
    """Put the handler behind the door that every request comes through."""
    guarded = Router("/guarded", route_handlers=[get_provider], guards=[requires_any_key])
    app = Litestar(
        route_handlers=[get_provider, guarded],
        dependencies={"services": Provide(services_of, sync_to_thread=False)},
        openapi_config=None,
        logging_config=None,
    )
    browsers = Browsers([OPEN], public_url=services.settings.public_url)
    provided = Provided(app, services, living=nullcontext)
    return Front(provided, browsers=browsers, clock=services.clock, new_id=services.new_id)


def tokens(number: int) -> list[str]:
    """Sign tokens of which no two are the same."""
    now = time.time()
    return [signed(header_for(KEY_ID), claims_at(now, jti=f"{now}-{serial}")) for serial in range(number)]


def bearer(token: str) -> bytes:
    """Build a request with a token."""
    return get(GUARDED, headers={"Authorization": f"Bearer {token}"})


def requests_of(key: str) -> dict[str, Callable[[], Callable[[int], bytes]]]:
    """List the kinds of requests; each makes anew, for a round, what answers the bytes of its n-th request."""
    known = bearer(tokens(1)[0])
    keyed, free = get(GUARDED, headers={"X-Api-Key": key}), get(OPEN, headers={})

    def unknown() -> Callable[[int], bytes]:
        fresh = [bearer(token) for token in tokens(REQUESTS)]
        return lambda number: fresh[number]

    return {
        "open": lambda: lambda _: free,
        "API key, known": lambda: lambda _: keyed,
        "token, known": lambda: lambda _: known,
        "token, new": unknown,
    }


def tell(name: str, rounds: list[Load], cpu: list[float], *, base: list[float]) -> None:
    """Print one line."""
    spent = statistics.median(cpu)
    rate = statistics.median(each.per_second for each in rounds)
    failures = sum(each.failures for each in rounds)
    ratio = spent / statistics.median(base)
    print(f"{name:<18}{rate:>8.0f} req/s {spent * 1e6:>7.0f} µs CPU/req   {ratio:.3f} of open   {failures} failed")


async def measure(port: int, pid: int, key: str) -> None:
    """Interleave rounds of every kind and print."""
    kinds = requests_of(key)
    loads: dict[str, list[Load]] = {name: [] for name in kinds}
    cpu: dict[str, list[float]] = {name: [] for name in kinds}
    for round_ in range(ROUNDS + 1):
        for name, make in kinds.items():
            request = make()
            before = cpu_seconds(pid)
            result = await load(port, request, count=REQUESTS, connections=CONNECTIONS)
            if round_:
                loads[name].append(result)
                cpu[name].append((cpu_seconds(pid) - before) / REQUESTS)
    print(f"\n{CONNECTIONS} connections, {REQUESTS} requests a round, {ROUNDS} rounds")
    for name in kinds:
        tell(name, loads[name], cpu[name], base=cpu["open"])


async def main() -> None:
    """Run the server, and compare."""
    os.sched_setaffinity(0, {LOAD_CORE})
    key, port = new_key(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        await furnish(folder, key)
        with process(sys.executable, "-m", "tests.benchmarks.access", "serve", folder, str(port)) as pid:
            await answers(f"http://127.0.0.1:{port}{OPEN}")
            await measure(port, pid, key)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[2], int(sys.argv[3])) if sys.argv[1:2] == ["serve"] else main())
