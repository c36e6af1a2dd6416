"""The cookie of the browser that sets out: whoever comes back without it is somebody else.

Behind https its name has the prefix ``__Host-``: no other host and no page over http can set it. Browsers keep neither
that prefix nor ``Secure`` for plain http, which is for trying things out on one's own machine; there it goes without.
``SameSite=Lax`` lets it come along when the provider sends the customer back, and with nothing that another page does
in the background. https://www.rfc-editor.org/rfc/rfc6265#section-4.1, draft-ietf-httpbis-rfc6265bis, section 4.1.3
"""

import hmac
from collections.abc import Mapping

import msgspec

from connectors.secret import Secret
from server.connecting.errors import StrangeBrowser
from server.connecting.passage import LIFE, Passage, Stepwise, key_digest
from server.store.contract import ConnectSession

_ID_LENGTH = 12
_LAST_STEPWISE = "custom"
"""Stepwise callbacks have one address for all and name no session, so of two flows in a browser the later counts."""
_ABSENT = StrangeBrowser(
    "This window did not start the connection, or cookies are blocked. Start again, in one and the same browser."
)


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie as it is set."""

    name: str
    value: Secret
    secure: bool
    max_age: int = int(LIFE.total_seconds())

    def header(self) -> str:
        """Spell it for ``Set-Cookie``."""
        security = "; Secure" if self.secure else ""
        return f"{self.name}={self.value.reveal()}; Max-Age={self.max_age}; Path=/; HttpOnly; SameSite=Lax{security}"


def cookie_for(session: ConnectSession, passage: Passage, value: Secret, *, public_url: str) -> Cookie:
    """Make the cookie of the browser that sets out with a session."""
    way = passage.way
    whole = Secret(f"{way.state.reveal()}.{value.reveal()}") if isinstance(way, Stepwise) else value
    return Cookie(name=cookie_name(session, passage, public_url=public_url), value=whole, secure=_secure(public_url))


def cookie_name(session: ConnectSession, passage: Passage, *, public_url: str) -> str:
    """Name the cookie: several customers' flows may run in one browser at once."""
    own = _LAST_STEPWISE if isinstance(passage.way, Stepwise) else session.id[-_ID_LENGTH:]
    return f"{_prefix(public_url)}{own}"


def without(cookie: str, *, public_url: str) -> str:
    """Spell the ``Set-Cookie`` that makes a browser forget."""
    return Cookie(name=cookie, value=Secret(""), secure=_secure(public_url), max_age=0).header()


def require_browser(session: ConnectSession, passage: Passage, cookies: Mapping[str, str], *, public_url: str) -> None:
    """Raise `StrangeBrowser` unless the cookie of the browser that set out is there."""
    value = cookies.get(cookie_name(session, passage, public_url=public_url), "")
    if isinstance(passage.way, Stepwise):
        value = value.rpartition(".")[2]
    if not value or not hmac.compare_digest(key_digest("browser", value), session.browser_digest):
        raise _ABSENT


def has_stepwise(cookies: Mapping[str, str], *, public_url: str) -> bool:
    """Tell whether a browser brings a stepwise flow's cookie, good or not."""
    return f"{_prefix(public_url)}{_LAST_STEPWISE}" in cookies


def stepwise_state(cookies: Mapping[str, str], *, public_url: str) -> str:
    """Answer which stepwise flow this browser set out on last. Raises `StrangeBrowser`."""
    state, _, _ = cookies.get(f"{_prefix(public_url)}{_LAST_STEPWISE}", "").rpartition(".")
    if not state:
        raise _ABSENT
    return state


def _prefix(public_url: str) -> str:
    return "__Host-isthmus-connect-" if _secure(public_url) else "isthmus-connect-"


def _secure(public_url: str) -> bool:
    return public_url.startswith("https://")
