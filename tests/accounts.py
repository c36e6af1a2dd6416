"""Customers' accounts of any size: a provider over HTTP with as many objects and fields as a test asks for.

    async with serve_account(objects=20, fields=500, hostile=PAYLOADS) as account:
        async with open_house(connectors=[account.connector], provider_urls=account.urls) as house:
            await house.deploy(account.manifest())
            await house.connect(provider=account.provider, apiKey=account.key)

What the account has is in `Account.described`, which a test may change; `Account.gate` holds its answers back.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from aiohttp import web

from connectors.answers import decode_body, require_success
from connectors.connector import Account as Place
from connectors.connector import Flow
from connectors.errors import Refused
from connectors.provider import ApiKeyHeader, ApiKeyOpts, Provider, Support
from connectors.rest import RestConnector, RestObject
from connectors.urls import resource_url
from installations.record import Fault
from installations.schema import Choice, FieldMetadata, ObjectMetadata, ValueType
from tests.simulators.door import on_loopback

PROVIDER = "bigcrm"
KEY = "a key of the big account"
_TYPES: tuple[ValueType, ...] = ("string", "int", "singleSelect", "date", "boolean", "float", "multiSelect", "datetime")
_SELECTS = ("singleSelect", "multiSelect")


class Crm(RestConnector):
    """Writes by a table, and describes by asking."""

    def describe(self, account: Place, object_name: str) -> Flow[ObjectMetadata]:
        """Answer what the account says of an object."""
        response = yield httpx.Request("GET", resource_url(account, "objects", object_name))
        if response.status_code == httpx.codes.NOT_FOUND:
            message = f"The account has no object {object_name!r}."
            raise Refused(Fault(kind="unknown_object", message=message, status=response.status_code))
        require_success(response)
        return decode_body(response, ObjectMetadata)


class Account:
    """One account, and what may be asked of it."""

    def __init__(self, described: dict[str, ObjectMetadata]) -> None:
        self.described = described
        """By object name: what is answered. Change it to change the account."""
        self.asked: Counter[str] = Counter()
        """How often each object was asked for."""
        self.at_once = 0
        self.most_at_once = 0
        """How many questions about objects there were at the same time."""
        self.status: dict[str, int] = {}
        """Objects that are answered with this status instead, by name; ``""`` stands for all."""
        self.retry_after: int | None = None
        """What such an answer says of when to come back, in seconds."""
        self.gate = asyncio.Event()
        """Questions about objects wait while it is clear. It is set at the start."""
        self.gate.set()
        self.arrived = asyncio.Condition()
        self.records: list[dict[str, Any]] = []
        """What was written."""
        self.key = KEY
        self.provider = PROVIDER
        self.url = ""
        self.connector = Crm(
            provider=_provider(),
            objects={name: RestObject(path=f"records/{quote(name, safe='')}") for name in described},
            probe_path="me",
        )

    @property
    def urls(self) -> dict[str, str]:
        """What goes into ``provider_urls``."""
        return {self.provider: self.url}

    def manifest(self, name: str = "crm", *, inherit: bool = True) -> str:
        """Write a manifest that reads and writes every object, with all fields to choose from."""
        read = [
            {"objectName": each, "destination": "inbox", "schedule": "0 * * * *", "optionalFieldsAuto": "all"}
            for each in self.described
        ]
        write = [{"objectName": each, "inheritMapping": inherit} for each in self.described]
        integration = {
            "name": name,
            "provider": self.provider,
            "read": {"objects": read},
            "write": {"objects": write},
        }
        return json.dumps({"specVersion": "1.0.0", "integrations": [integration]})

    async def waiting(self, count: int) -> None:
        """Wait until so many questions about objects are under way at once."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.at_once >= count)


@asynccontextmanager
async def serve_account(
    *, objects: int = 20, fields: int = 500, choices: int = 8, hostile: Sequence[str] = ()
) -> AsyncIterator[Account]:
    """Serve an account while the block lasts.

    Names of ``hostile`` become objects of few fields, and fields of the first object, titles and choices alike.
    """
    account = Account(described(objects=objects, fields=fields, choices=choices, hostile=hostile))
    async with on_loopback(_application(account)) as account.url:
        yield account


def described(*, objects: int, fields: int, choices: int = 8, hostile: Sequence[str] = ()) -> dict[str, ObjectMetadata]:
    """Make up what an account has: ``object_1`` and on, each with ``field_1`` and on."""
    found = {}
    for number in range(1, objects + 1):
        name = f"object_{number}"
        odd = hostile if number == 1 else ()
        found[name] = ObjectMetadata(
            name=name, display_name=f"Object {number}", fields=_fields([*_numbered(fields), *odd], choices=choices)
        )
    for name in hostile:
        found[name] = ObjectMetadata(name=name, display_name=name, fields=_fields([*_numbered(3), name], choices=2))
    return found


def _numbered(count: int) -> list[str]:
    return [f"field_{number}" for number in range(1, count + 1)]


def _fields(names: Sequence[str], *, choices: int) -> dict[str, FieldMetadata]:
    return {name: _field(index, name, choices=choices) for index, name in enumerate(names)}


def _field(index: int, name: str, *, choices: int) -> FieldMetadata:
    """Make the field of a place: the first is required, every tenth can only be read, types take turns."""
    kind = _TYPES[index % len(_TYPES)]
    title = name.replace("_", " ").capitalize() if name.startswith("field_") else name
    offered = tuple(Choice(value=f"v{each}", display_value=f"{title}, {each}") for each in range(1, choices + 1))
    return FieldMetadata(
        field_name=name,
        display_name=title,
        value_type=kind,
        provider_type=kind,
        read_only=index % 10 == 9,
        is_custom=index % 3 == 0,
        is_required=index == 0,
        values=offered if kind in _SELECTS else msgspec.UNSET,
    )


def _provider() -> Provider:
    return Provider(
        name=PROVIDER,
        display_name="Big CRM",
        auth_type="apiKey",
        base_url="https://big.invalid",
        support=Support(read=True, write=True, delete=True),
        api_key_opts=ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name="X-Key")),
    )


def _application(account: Account) -> web.Application:
    application = web.Application()

    def refused(request: web.Request) -> web.Response | None:
        name = request.match_info.get("object", "")
        status = account.status.get("", account.status.get(name))
        if status is None and request.headers.get("X-Key") != account.key:
            status = httpx.codes.UNAUTHORIZED
        if status is None:
            return None
        headers = {} if account.retry_after is None else {"Retry-After": str(account.retry_after)}
        return web.json_response({"message": f"answered {status}"}, status=status, headers=headers)

    async def describe(request: web.Request) -> web.Response:
        name = request.match_info["object"]
        account.asked[name] += 1
        async with account.arrived:
            account.at_once += 1
            account.most_at_once = max(account.at_once, account.most_at_once)
            account.arrived.notify_all()
        try:
            await account.gate.wait()
        finally:
            account.at_once -= 1
        known = account.described.get(name)
        if (refusal := refused(request)) is not None:
            return refusal
        if known is None:
            return web.json_response({"message": "no such object"}, status=404)
        return web.Response(body=msgspec.json.encode(known), content_type="application/json")

    async def write(request: web.Request) -> web.Response:
        record = {"object": request.match_info["object"], **request.match_info, **await request.json()}
        account.records.append(record)
        return refused(request) or web.json_response({**record, "id": str(len(account.records))}, status=201)

    async def me(request: web.Request) -> web.Response:
        return refused(request) or web.json_response({})

    application.router.add_get(r"/objects/{object:[^/]+}", describe)
    application.router.add_post(r"/records/{object:[^/]+}", write)
    application.router.add_patch(r"/records/{object:[^/]+}/{id}", write)
    application.router.add_get("/me", me)
    return application
