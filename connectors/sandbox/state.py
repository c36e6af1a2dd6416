"""Everything one sandbox server remembers, and how it starts afresh."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from connectors.sandbox.access import DEMO_KEYS, DEMO_WORKSPACE, OPEN_WORKSPACE, Credential
from connectors.sandbox.calls import Answer
from connectors.sandbox.faults import Faults
from connectors.sandbox.journal import Journal
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, AuthorizationServer, Client
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.sessions import Sessions
from connectors.sandbox.workspace import Workspace

ANSWERS_KEPT = 50_000
"""Answers kept for each workspace, to be said again for the same idempotency key."""

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
    """Whether ``Idempotency-Key`` is honoured: some providers do, some do not."""
    keys: Mapping[str, Credential] = msgspec.field(default_factory=lambda: DEMO_KEYS)
    clients: tuple[Client, ...] = (DEMO_CLIENT,)
    token_life: timedelta = timedelta(hours=1)
    now: Callable[[], datetime] = _utc_now
    new_secret: Callable[[], str] = _new_secret


class Tenant:
    """One workspace with what belongs to it alone: its faults and the answers kept for idempotency keys."""

    def __init__(self, name: str, *, now: Callable[[], datetime]) -> None:
        self.workspace = Workspace(name, now=now)
        self.faults = Faults()
        self._answers: OrderedDict[str, tuple[bytes, Answer]] = OrderedDict()

    def kept_answer(self, key: str, *, request: bytes) -> Answer | None:
        """Answer what this key was answered before; 409 if it came with another request then."""
        if key not in self._answers:
            return None
        before, answer = self._answers[key]
        if before != request:
            raise Refusal(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
        return msgspec.structs.replace(answer, headers={**answer.headers, "Idempotent-Replayed": "true"})

    def keep_answer(self, key: str, answer: Answer, *, request: bytes) -> None:
        """Remember an answer for its key."""
        self._answers[key] = (request, answer)
        if len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)


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
        return self.tenants.setdefault(name, Tenant(name, now=self.options.now))

    def tenant(self, name: str) -> Tenant:
        """Answer a workspace; 404 if there is none of this name."""
        if name not in self.tenants:
            raise Refusal(404, "unknown_workspace", f"There is no workspace {name[:100]!r}.")
        return self.tenants[name]
