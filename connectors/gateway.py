"""The one way out: a name is resolved once, every answer is checked, and a checked address is dialled.

A check before dialling is worth nothing if the dialler resolves again, so the check sits at the socket as well.
"""

import asyncio
import socket
from collections.abc import Iterable

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from connectors.addresses import HTTPS_PORT, AddressPolicy, Network
from connectors.departure import Blocked
from connectors.wire import AioTransport


class AddressDenied(Exception):
    """The policy forbids what would be dialled. Not an `OSError`, so that nobody tries the next address."""


class Gateway:
    """The operator's address policy, and transports that keep to it."""

    def __init__(self, *, allowed_networks: Iterable[Network] = (), resolver: AbstractResolver | None = None) -> None:
        """Allow ``allowed_networks`` beyond the public internet; ``resolver`` stands in for the system's."""
        self.policy = AddressPolicy(allowed_networks=tuple(allowed_networks))
        self._resolver = resolver

    def transport(self) -> httpx.AsyncBaseTransport:
        """Make a transport for one event loop; close it with ``aclose``."""
        return _GuardedTransport(self.policy, secure=self._wire(secure=True), plain=self._wire(secure=False))

    def _wire(self, *, secure: bool) -> AioTransport:
        door = _Door(self.policy, secure=secure)
        return AioTransport(resolver=_CheckedResolver(door, resolver=self._resolver), socket_factory=door.socket)


class _GuardedTransport(httpx.AsyncBaseTransport):
    """Refuses bad URLs; plain http and https have connections of their own, since the policy differs."""

    def __init__(self, policy: AddressPolicy, *, secure: AioTransport, plain: AioTransport) -> None:
        self._policy = policy
        self._secure = secure
        self._plain = plain

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises `Blocked` where the policy forbids it, and an `httpx.TransportError`."""
        problem = self._policy.url_problem(request.url)
        if problem:
            raise Blocked(problem, request=request)
        wire = self._secure if request.url.scheme == "https" else self._plain
        try:
            return await wire.handle_async_request(request)
        except AddressDenied as error:
            raise Blocked(str(error), request=request) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._secure.aclose()
        await self._plain.aclose()


class _Door:
    """Opens sockets, for checked addresses only."""

    def __init__(self, policy: AddressPolicy, *, secure: bool) -> None:
        self._policy = policy
        self._secure = secure

    def check(self, address: str, port: int) -> None:
        problem = self._policy.address_problem(address, port=port, secure=self._secure)
        if problem:
            raise AddressDenied(problem)

    def socket(self, address: AddrInfoType) -> socket.socket:
        """Check what is dialled next; this is the last thing before the connection."""
        family, kind, protocol, _, target = address
        self.check(str(target[0]), int(target[1]))
        return socket.socket(family=family, type=kind, proto=protocol)


class _CheckedResolver(AbstractResolver):
    """Resolves by another resolver and refuses the name if any of its answers is denied."""

    def __init__(self, door: _Door, *, resolver: AbstractResolver | None) -> None:
        self._door = door
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = aiohttp.ThreadedResolver(loop=asyncio.get_running_loop())
        answers = await self._resolver.resolve(host, port, family)
        for answer in answers:
            self._door.check(answer["host"], port or HTTPS_PORT)
        return answers

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()
