"""What a call costs: our transport over aiohttp against httpx's own, 50 at a time, against a server in its own process.

    python -m tests.benchmarks.transport [CALLS]

Good as ratios within one run; the absolute figures move with the machine. The rounds are interleaved.
"""

import asyncio
import ipaddress
import multiprocessing
import multiprocessing.connection
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import httpx

from connectors.connector import Flow
from connectors.gateway import Gateway
from connectors.secret import Secret
from connectors.signatures import HeaderAuth
from connectors.transport import perform
from connectors.wire import AioTransport

CONCURRENT = 50
ROUNDS = 5
CALLS = 2000
BODY = b'{"properties": {' + b", ".join(b'"field_%d": "value %d"' % (n, n) for n in range(12)) + b"}}"
REPLY = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)

Call = Callable[[], Awaitable[httpx.Response]]


class Answering(asyncio.Protocol):
    """The least server there is: an answer for each request that has come in whole."""

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        _head, found, content = self.received.partition(b"\r\n\r\n")
        if found and len(content) >= len(BODY):
            self.received = b""
            self.transport.write(REPLY)


def serve(pipe: multiprocessing.connection.Connection) -> None:
    """Tell the port and answer until killed."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def request(url: str) -> httpx.Request:
    return httpx.Request("POST", url, content=BODY, headers={"Content-Type": "application/json"})


def direct(transport: httpx.AsyncBaseTransport, url: str) -> Call:
    async def call() -> httpx.Response:
        response = await transport.handle_async_request(request(url))
        await response.aread()
        return response

    return call


def performed(transport: httpx.AsyncBaseTransport, url: str) -> Call:
    def flow() -> Flow[httpx.Response]:
        return (yield request(url))

    auth = HeaderAuth({"Authorization": Secret("Bearer t")})
    return lambda: perform(flow(), transport=transport, auth=auth, origin=url)


async def cost(call: Call, *, calls: int) -> tuple[float, float]:
    """Answer CPU microseconds of this process for each call, and calls a second."""

    async def several() -> None:
        for _ in range(calls // CONCURRENT):
            assert (await call()).status_code == httpx.codes.CREATED

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(several() for _ in range(CONCURRENT)))
    done = calls // CONCURRENT * CONCURRENT
    return (time.process_time() - cpu) / done * 1e6, done / (time.perf_counter() - wall)


async def measure(url: str, *, calls: int) -> dict[str, tuple[float, float]]:
    ours, fresh, theirs = AioTransport(), AioTransport(careful_idle_seconds=0), httpx.AsyncHTTPTransport()
    guarded = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    cases = {
        "AioTransport": direct(ours, url),
        "the gateway's checks around it": direct(guarded, url),
        "AioTransport, a connection for each POST": direct(fresh, url),
        "perform through the gateway": performed(guarded, url),
        "httpx's own transport": direct(theirs, url),
    }
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, call in cases.items():
            seen[name].append(await cost(call, calls=calls))
    for transport in (ours, fresh, theirs, guarded):
        await transport.aclose()
    return {
        name: (statistics.median(cpu for cpu, _ in rounds), statistics.median(rate for _, rate in rounds))
        for name, rounds in seen.items()
    }


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}/crm/v3/objects/contacts"
        results = asyncio.run(measure(url, calls=calls))
    finally:
        server.terminate()
        server.join()
    least, guarded = results["AioTransport"], results["the gateway's checks around it"]
    print(f"{CONCURRENT} at a time, {calls} calls, medians of {ROUNDS} interleaved rounds")
    for name, (cpu, rate) in results.items():
        print(f"{name:42} {cpu:8.0f} us CPU/call {rate:8.0f} calls/s {cpu / least[0]:6.2f}x")
    print(f"gateway / bare client: {guarded[0] / least[0]:.2f} of its CPU, {guarded[1] / least[1]:.2f} of its rate")


if __name__ == "__main__":
    main()
