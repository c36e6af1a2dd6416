"""The sessions of the sandbox: a token that is no OAuth token, had for a workspace's key."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from connectors.sandbox.access import Credential


class Sessions:
    """The sessions that are open. ``now`` is UTC, ``new_secret`` answers unguessable text."""

    def __init__(self, *, now: Callable[[], datetime], new_secret: Callable[[], str]) -> None:
        self._now = now
        self._new_secret = new_secret
        self._open: dict[str, tuple[Credential, datetime]] = {}

    def open(self, credential: Credential, *, life: timedelta) -> str:
        """Open a session and answer its token."""
        token = self._new_secret()
        self._open[token] = (replace(credential, scheme="custom"), self._now() + life)
        return token

    def credential(self, token: str) -> Credential | None:
        """Answer what a token opens, or `None` if it is unknown or its time is over."""
        credential, until = self._open.get(token, (None, self._now()))
        return credential if until > self._now() else None

    def end(self) -> None:
        """End all of them."""
        self._open.clear()
