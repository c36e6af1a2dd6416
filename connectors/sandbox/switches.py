"""The switches under ``/_sandbox``: faults, pace, logs and counts, keys, workspaces, clients, tokens, a fresh start.

Open to whoever reaches the server: a sandbox holds nothing worth a key. Bodies must be JSON, so that no form on a
strange web page can use them.
"""

from datetime import timedelta
from itertools import islice
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from connectors.sandbox.access import DEMO_WORKSPACE, AccessLevel, Credential, Region
from connectors.sandbox.calls import Answer, read_body, read_count
from connectors.sandbox.door import Handler, json_response, read_json
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.journal import EFFECTS_KEPT
from connectors.sandbox.oauth import Client
from connectors.sandbox.pace import Pace
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.state import Sandbox


class NewWorkspace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workspace to open, or another key for one that is open. Without ``key``, one is made."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
    key: Annotated[str, Meta(pattern=r"^[!-~]{1,200}\Z")] | None = None
    access: AccessLevel = "write"
    region: Region = "eu"


class TokenSwitch(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How long tokens live that are given from now on, OAuth access tokens and sessions alike."""

    life_seconds: Annotated[int, Meta(ge=1, le=366 * 24 * 3600)]


def switch_routes(sandbox: Sandbox) -> tuple[tuple[str, str, Handler], ...]:
    """List the switches: method, path, handler."""
    switches = _Switches(sandbox)
    return (
        ("GET", "/_sandbox/faults", switches.show_faults),
        ("PUT", "/_sandbox/faults", switches.set_faults),
        ("GET", "/_sandbox/pace", switches.show_pace),
        ("PUT", "/_sandbox/pace", switches.set_pace),
        ("DELETE", "/_sandbox/keys", switches.forget_keys),
        ("GET", "/_sandbox/counts", switches.show_counts),
        ("GET", "/_sandbox/requests", switches.show_requests),
        ("GET", "/_sandbox/ledger", switches.show_ledger),
        ("POST", "/_sandbox/workspaces", switches.open_workspace),
        ("POST", "/_sandbox/clients", switches.register_client),
        ("PUT", "/_sandbox/tokens", switches.set_token_life),
        ("DELETE", "/_sandbox/tokens", switches.expire_tokens),
        ("DELETE", "/_sandbox", switches.reset),
    )


class _Switches:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def show_faults(self, request: web.Request) -> web.Response:
        return json_response(Answer(body=self._sandbox.tenant(_workspace(request)).faults.plan()))

    async def set_faults(self, request: web.Request) -> web.Response:
        tenant = self._sandbox.tenant(_workspace(request))
        tenant.faults.replace(read_body(await read_json(request), FaultPlan))
        return json_response(Answer(body=tenant.faults.plan()))

    async def show_pace(self, request: web.Request) -> web.Response:
        return json_response(Answer(body=self._sandbox.tenant(_workspace(request)).pacemaker.pace))

    async def set_pace(self, request: web.Request) -> web.Response:
        tenant = self._sandbox.tenant(_workspace(request))
        tenant.pacemaker.set(read_body(await read_json(request), Pace))
        return json_response(Answer(body=tenant.pacemaker.pace))

    async def forget_keys(self, request: web.Request) -> web.Response:
        self._sandbox.tenant(_workspace(request)).keys.forget()
        return json_response(Answer(status=204))

    async def show_counts(self, request: web.Request) -> web.Response:
        return json_response(Answer(body=self._sandbox.journal.counts(request.query.get("workspace"))))

    async def show_requests(self, request: web.Request) -> web.Response:
        limit = read_count(request.query, "limit", default=100, most=EFFECTS_KEPT)
        entries = list(self._sandbox.journal.requests(request.query.get("workspace")))
        return json_response(Answer(body={"requests": entries[-limit:]}))

    async def show_ledger(self, request: web.Request) -> web.Response:
        """Show the newest; with ``after``, the oldest of those behind it, so that all can be had in pages."""
        limit = read_count(request.query, "limit", default=100, most=EFFECTS_KEPT)
        journal, workspace = self._sandbox.journal, request.query.get("workspace")
        if "after" in request.query:
            after = 0 if request.query["after"] == "0" else read_count(request.query, "after", default=0, most=10**12)
            entries = list(islice(journal.effects(workspace, after=after), limit))
        else:
            entries = list(journal.effects(workspace))[-limit:]
        return json_response(Answer(body={"effects": entries, "total": journal.effect_count}))

    async def open_workspace(self, request: web.Request) -> web.Response:
        new = read_body(await read_json(request), NewWorkspace)
        key = new.key or self._sandbox.options.new_secret()
        if key in self._sandbox.keys:
            raise Refusal(409, "duplicate", "This key is in use.")
        self._sandbox.open_workspace(new.name)
        self._sandbox.keys[key] = Credential(workspace=new.name, access=new.access, region=new.region)
        return json_response(Answer(status=201, body={"workspace": new.name, "key": key, "access": new.access}))

    async def register_client(self, request: web.Request) -> web.Response:
        client = read_body(await read_json(request), Client)
        self._sandbox.tenant(client.workspace)
        self._sandbox.oauth.register(client)
        return json_response(Answer(status=201, body=client))

    async def set_token_life(self, request: web.Request) -> web.Response:
        wanted = read_body(await read_json(request), TokenSwitch)
        self._sandbox.oauth.token_life = timedelta(seconds=wanted.life_seconds)
        return json_response(Answer(body=wanted))

    async def expire_tokens(self, _request: web.Request) -> web.Response:
        self._sandbox.oauth.expire()
        self._sandbox.sessions.end()
        return json_response(Answer(status=204))

    async def reset(self, _request: web.Request) -> web.Response:
        self._sandbox.reset()
        return json_response(Answer(status=204))


def _workspace(request: web.Request) -> str:
    return request.query.get("workspace", DEMO_WORKSPACE)
