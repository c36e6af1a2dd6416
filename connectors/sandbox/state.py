"""Everything one sandbox server remembers, and how it starts afresh."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from connectors.sandbox.access import DEMO_KEYS, DEMO_WORKSPACE, OPEN_WORKSPACE, Credential
from connectors.sandbox.faults import FaultPlan, Faults
from connectors.sandbox.journal import Journal
from connectors.sandbox.keys import KEY_WINDOW, KeptKeys
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, AuthorizationServer, Client
from connectors.sandbox.pace import Pace, Pacemaker
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.sessions import Sessions
from connectors.sandbox.workspace import Workspace

DEMO_CLIENT = Client(
    client_id=DEMO_CLIENT_ID,
    client_secret=DEMO_CLIENT_SECRET,
    name="Isthmus",
    redirect_uris=(
        "http://127.0.0.1:8080/callbacks/v1/oauth",
        "http://localhost:8080/callbacks/v1/oauth",
        "http://127.0.0.1:8080/callbacks/v1/custom-auth/default",
        "http://localhost:8080/callbacks/v1/custom-auth/default",
    ),
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a sandbox is started. Time and randomness come from here."""

    idempotency: Literal["header", "none"] = "header"
    """Whether idempotency keys are honoured: some providers do, some do not."""
    key_window: timedelta = KEY_WINDOW
    pace: Pace = Pace()
    """Of every workspace, until it is told another."""
    faults: FaultPlan = FaultPlan()
    """Of every workspace, from the start."""
    keys: Mapping[str, Credential] = msgspec.field(default_factory=lambda: DEMO_KEYS)
    clients: tuple[Client, ...] = (DEMO_CLIENT,)
    token_life: timedelta = timedelta(hours=1)
    now: Callable[[], datetime] = _utc_now
    new_secret: Callable[[], str] = _new_secret


class Tenant:
    """One workspace with what belongs to it alone: its faults, its pace, and the keys of its creates."""

    def __init__(self, name: str, *, options: Options) -> None:
        self.workspace = Workspace(name, now=options.now)
        self.faults = Faults(options.faults)
        self.pacemaker = Pacemaker(options.pace, now=options.now)
        self.keys = KeptKeys(now=options.now, window=options.key_window)


class Sandbox:
    """The state behind the server. Nothing here awaits, so every request sees it whole."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.reset()

    def reset(self) -> None:
        """Start afresh: the keys and clients of the start, no records, no faults, empty logs."""
        options = self.options
        self.keys = dict(options.keys)
        self.tenants: dict[str, Tenant] = {}
        for name in (DEMO_WORKSPACE, OPEN_WORKSPACE, *(credential.workspace for credential in self.keys.values())):
            self.open_workspace(name)
        self.journal = Journal()
        self.oauth = AuthorizationServer(
            options.clients,
            now=options.now,
            new_secret=options.new_secret,
            log_in=self.credential,
            token_life=options.token_life,
        )
        self.sessions = Sessions(now=options.now, new_secret=options.new_secret)

    def credential(self, workspace: str, key: str) -> Credential | None:
        """Answer what a key opens where it comes as the password of its workspace."""
        found = self.keys.get(key)
        return found if found is not None and found.workspace == workspace else None

    def open_workspace(self, name: str) -> Tenant:
        """Answer the workspace of this name, new if need be."""
        return self.tenants.setdefault(name, Tenant(name, options=self.options))

    def tenant(self, name: str) -> Tenant:
        """Answer a workspace; 404 if there is none of this name."""
        if name not in self.tenants:
            raise Refusal(404, "unknown_workspace", f"There is no workspace {name[:100]!r}.")
        return self.tenants[name]
