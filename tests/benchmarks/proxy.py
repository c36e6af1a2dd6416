"""A call through the proxy, against calling the provider directly, and against an app that only forwards the bytes.

    python -m tests.benchmarks.proxy

Server and forwarder run under uvicorn, each in a process of its own, pinned to one core; the provider answers at once.
The forwarder checks no key, looks nothing up and signs nothing. Rounds are interleaved, medians are printed.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from headless.client import Client
from tests.benchmarks.loads import Load, cpu_seconds, load
from tests.benchmarks.writes import FORWARDER, LOAD_CORE, ROOT, answers, free_port, process

ROUNDS = 5
SMALL = b'{"id": "con_1", "fields": {' + b", ".join(b'"field_%d": "value %d"' % (n, n) for n in range(12)) + b"}}"
LARGE = bytes(range(256)) * 32_768
"""8 MB."""
MANIFEST = "specVersion: 1.0.0\nintegrations:\n  - {name: bench, provider: sandbox, proxy: {enabled: true}}\n"


class Provider(asyncio.Protocol):
    """Answers every request that has come whole: a path that ends in ``large`` by 8 MB, any other by a record."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as are complete."""
        assert self._transport is not None
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            body = LARGE if head.partition(b" HTTP/")[0].endswith(b"large") else SMALL
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            self._transport.write(body)


def request(path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """Build the bytes of a request."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


class Case:
    """One way to the provider."""

    def __init__(self, name: str, port: int, content: bytes, pid: int | None) -> None:
        self.name = name
        self.port = port
        self.content = content
        self.pid = pid
        self.loads: list[Load] = []
        self.cpu: list[float] = []

    async def run(self, *, count: int, connections: int, counts: bool) -> None:
        """Put the load on it; the first time is not counted."""
        before = cpu_seconds(self.pid) if self.pid else 0.0
        result = await load(self.port, lambda _: self.content, count=count, connections=connections)
        if counts:
            self.loads.append(result)
            self.cpu.append((cpu_seconds(self.pid) - before) / count if self.pid else 0.0)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return statistics.median(each.per_second for each in self.loads)

    @property
    def milliseconds(self) -> float:
        """How long half of the answers take."""
        return statistics.median(each.quantile(0.5) for each in self.loads)

    def tell(self) -> None:
        """Print a line."""
        micros = statistics.median(self.cpu) * 1e6
        failures = sum(each.failures for each in self.loads)
        print(
            f"{self.name:<12}{self.rate:>8.0f} req/s   p50 {self.milliseconds:8.2f} ms   "
            f"{micros:>7.0f} µs CPU/req   {failures} failed"
        )


async def compare(title: str, cases: list[Case], *, count: int, connections: int) -> None:
    """Interleave rounds and print ratios of the last case to the others."""
    for round_ in range(ROUNDS + 1):
        for case in cases:
            await case.run(count=count, connections=connections, counts=bool(round_))
    print(f"\n{title}: {connections} connections, {count} requests a round, {ROUNDS} rounds")
    for case in cases:
        case.tell()
    *others, last = cases
    for other in others:
        print(
            f"{last.name} / {other.name}: {last.milliseconds / other.milliseconds:.2f} times its time "
            f"({last.milliseconds - other.milliseconds:+.2f} ms), {last.rate / other.rate:.2f} of its rate"
        )


async def prepare(url: str, api_key: str) -> str:
    """Deploy, connect and install; the project's id."""
    async with Client(url, api_key=api_key, project="bench") as client:
        await client.deploy(MANIFEST)
        connection = await client.connect("sandbox", group_ref="g", consumer_ref="c", api_key="sandbox-demo-key")
        await client.install("bench", group_ref="g", content={"provider": "sandbox"}, connection_id=connection["id"])
        project: str = connection["projectId"]
        return project


async def main() -> None:
    """Run everything and compare."""
    os.sched_setaffinity(0, {LOAD_CORE})
    provider = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
    direct = provider.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "ISTHMUS_DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "ISTHMUS_PROVIDER_URLS": json.dumps({"sandbox": f"http://127.0.0.1:{direct}"}),
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
        ports = free_port(), free_port()
        with (
            process(sys.executable, "-c", FORWARDER, f"http://127.0.0.1:{direct}", str(ports[0])) as forwarder,
            process(*command, "serve", "--port", str(ports[1]), environment=environment) as isthmus,
        ):
            url = f"http://127.0.0.1:{ports[1]}"
            await answers(f"{url}/healthz")
            await answers(f"http://127.0.0.1:{ports[0]}")
            headers = {
                "X-Api-Key": api_key,
                "x-amp-project-id": await prepare(url, api_key),
                "x-amp-proxy-version": "1",
                "x-amp-integration-name": "bench",
                "x-amp-group-ref": "g",
                "Content-Type": "application/json",
            }

            def small() -> list[Case]:
                return [
                    Case("direct", direct, request("/v1/a", body=SMALL), None),
                    Case("forwarder", ports[0], request("/", body=SMALL), forwarder),
                    Case("proxy", ports[1], request("/v1/a", body=SMALL, headers=headers), isthmus),
                ]

            large = [
                Case("direct", direct, request("/v1/large"), None),
                Case("proxy", ports[1], request("/v1/large", headers=headers), isthmus),
            ]
            await compare("a record there and back", small(), count=2000, connections=32)
            await compare("a record there and back", small(), count=500, connections=1)
            await compare("8 MB back", large, count=20, connections=1)
    provider.close()
    await provider.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
