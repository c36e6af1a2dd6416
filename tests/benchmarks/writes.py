"""A synchronous write through the whole server, against an app that only forwards the same bytes.

    python -m tests.benchmarks.writes

Both run under uvicorn in a process of their own, pinned to one core, with the same HTTP client; the provider answers
at once. The forwarder checks nothing, applies nothing and stores nothing. Rounds are interleaved, medians are printed.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from headless.client import Client
from tests.benchmarks.loads import Load, cpu_seconds, load, post, stub

ROOT = Path(__file__).parents[2]
CONNECTIONS = 32
REQUESTS = 2_000
ROUNDS = 5
SERVER_CORE, LOAD_CORE = 0, 1

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: bench
    provider: sandbox
    read:
      objects:
        - objectName: contacts
          destination: none
          schedule: "0 0 * * *"
          requiredFields:
            - {fieldName: firstName, mapToName: given_name}
            - {fieldName: lastName, mapToName: family_name}
          optionalFields:
            - mapToName: stage
    write:
      objects:
        - {objectName: contacts, inheritMapping: true}
"""
CONTENT = {
    "provider": "sandbox",
    "read": {"objects": {"contacts": {"objectName": "contacts", "selectedFieldMappings": {"stage": "lifecycleStage"}}}},
    "write": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "selectedFieldSettings": {
                    "subscribed": {"default": {"booleanValue": False}},
                    "notes": {"writeOnUpdate": "never", "default": {"stringValue": "bench"}},
                },
            }
        }
    },
}
RECORD = {
    "email": "ada@example.test",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "stage": "customer",
    "phone": "+44 20 7946 0000",
    "jobTitle": "Analyst",
    "score": 12,
    "rating": 4.5,
    "birthday": "1815-12-10",
    "interests": ["events", "research"],
}
ANSWER = msgspec.json.encode({"id": "con_1", "fields": {**RECORD, "id": "con_1"}})

FORWARDER = """
import httpx, sys
from ipaddress import ip_network
from connectors.gateway import Gateway
transport = None
async def app(scope, receive, send):
    global transport
    if scope["type"] == "lifespan":
        await receive(); transport = Gateway(allowed_networks=[ip_network("127.0.0.1/32")]).transport()
        await send({"type": "lifespan.startup.complete"}); await receive()
        await send({"type": "lifespan.shutdown.complete"}); return
    body = (await receive())["body"]
    request = httpx.Request("POST", sys.argv[1] + "/v1/objects/contacts/records", content=body,
                            headers={"content-type": "application/json"})
    response = await transport.handle_async_request(request)
    answer = await response.aread()
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]})
    await send({"type": "http.response.body", "body": answer})
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
"""


@contextmanager
def process(*command: str, environment: dict[str, str] | None = None) -> Iterator[int]:
    """Run a server on its core; end it with the context."""
    with subprocess.Popen(  # noqa: S603 -- our own command lines
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),  # noqa: PLW1509 -- no threads here
    ) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


async def answers(url: str) -> None:
    """Wait until a server answers at all, for a minute where the machine is busy."""
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(1_200):
            try:
                await http.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise TimeoutError(url)


def free_port() -> int:
    """Ask the kernel for a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def prepare(url: str, api_key: str) -> None:
    """Deploy, connect and install."""
    async with Client(url, api_key=api_key, project="bench") as client:
        await client.deploy(MANIFEST)
        connection = await client.connect("sandbox", group_ref="g", consumer_ref="c", api_key="sandbox-demo-key")
        await client.install("bench", group_ref="g", content=CONTENT, connection_id=connection["id"])


def tell(name: str, loads: list[Load], cpu: list[float]) -> float:
    """Print one line; answer the median rate."""
    rate = statistics.median(each.per_second for each in loads)
    p50 = statistics.median(each.quantile(0.5) for each in loads)
    p99 = statistics.median(each.quantile(0.99) for each in loads)
    micros = statistics.median(cpu) * 1e6
    failures = sum(each.failures for each in loads)
    latency = f"p50 {p50:6.2f} ms   p99 {p99:6.2f} ms"
    print(f"{name:<22}{rate:>9.0f} req/s {micros:>7.0f} µs CPU/req   {latency}   {failures} failed")
    return rate


async def measure(
    ports: dict[str, int], pids: dict[str, int], requests: dict[str, bytes], *, connections: int, count: int
) -> None:
    """Interleave rounds of both and print."""
    loads: dict[str, list[Load]] = {name: [] for name in ports}
    cpu: dict[str, list[float]] = {name: [] for name in ports}
    for round_ in range(ROUNDS + 1):
        for name, port in ports.items():
            before = cpu_seconds(pids[name])
            result = await load(port, lambda _, name=name: requests[name], count=count, connections=connections)  # type: ignore[misc]
            if round_:
                loads[name].append(result)
                cpu[name].append((cpu_seconds(pids[name]) - before) / count)
    print(f"\n{connections} connections, {count} requests a round, {ROUNDS} rounds")
    rates = {name: tell(name, loads[name], cpu[name]) for name in ports}
    print(f"{'isthmus / forwarder':<22}{rates['isthmus'] / rates['forwarder']:>9.2f}")


async def main() -> None:
    """Run both servers and compare."""
    os.sched_setaffinity(0, {LOAD_CORE})
    provider = await stub(ANSWER)
    provider_url = f"http://127.0.0.1:{provider.sockets[0].getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "ISTHMUS_DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"),
            "ISTHMUS_PROVIDER_URLS": json.dumps({"sandbox": provider_url}),
            "ISTHMUS_ALLOWED_NETWORKS": "127.0.0.1/32",
        }
        command = [str(Path(sys.executable).with_name("isthmus"))]
        made = subprocess.run(  # noqa: ASYNC221, S603 -- once, before anything is measured
            [*command, "init", "--project", "bench", "--json"],
            env={**os.environ, **environment},
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        api_key = json.loads(made.stdout)["apiKey"]
        ports = {"forwarder": free_port(), "isthmus": free_port()}
        with (
            process(sys.executable, "-c", FORWARDER, provider_url, str(ports["forwarder"])) as forwarder,
            process(*command, "serve", "--port", str(ports["isthmus"]), environment=environment) as isthmus,
        ):
            url = f"http://127.0.0.1:{ports['isthmus']}"
            await answers(f"{url}/healthz")
            await answers(f"http://127.0.0.1:{ports['forwarder']}")
            await prepare(url, api_key)
            write = msgspec.json.encode({"groupRef": "g", "type": "create", "record": RECORD})
            path = "/v1/projects/bench/integrations/bench/objects/contacts"
            requests = {
                "forwarder": post("/", msgspec.json.encode(RECORD), headers={}),
                "isthmus": post(path, write, headers={"X-Api-Key": api_key}),
            }
            pids = {"forwarder": forwarder, "isthmus": isthmus}
            await measure(ports, pids, requests, connections=CONNECTIONS, count=REQUESTS)
            await measure(ports, pids, requests, connections=1, count=REQUESTS // 4)
    provider.close()
    await provider.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
