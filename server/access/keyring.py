"""Who presents this credential: an API key or a signed token, and what it opens."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

import msgspec

from installations.installation import AccessPolicy, ApiKey, JwtKey, Project
from server import logs
from server.access.errors import Forbidden, Unauthenticated
from server.access.keys import digest, is_well_formed
from server.access.presented import read_credentials
from server.access.remembered import REMEMBER_MOST, Remembered
from server.access.tokens import Person, Signer, key_id_of, signer_of, unknown_signer, verify
from server.clock import Clock, utc_now
from server.connecting.origins import origin_of
from server.store.contract import Missing


class KeyStore(Protocol):
    """The part of the store a key ring needs."""

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Find a key."""

    async def jwt_key(self, key_id: str) -> JwtKey | None:
        """Find a key."""

    async def project(self, id_or_name: str) -> Project:
        """Find a project."""


Reach = Literal["full", "frontend", "token"]
"""How far a credential reaches: everything, what the embedded UI calls, or that for one person alone."""
_NOT_FULL = {
    "frontend": "A frontend key may not do this; use a key with the scope full.",
    "token": "A token of a browser may not do this; use an API key with the scope full.",
}
FULL_KEY_IN_A_PAGE = (
    "This page has an API key with the scope full, which opens everything in the project to whoever reads the page. "
    "Switch it off, and give pages session tokens or a frontend key."
)
"""A backend that adds its key to what it passes on from a browser leaves out ``Origin``."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a credential opens: one project, and how much of it."""

    project_id: str
    project_name: str
    key_id: str
    reach: Reach
    group_ref: str | None = None
    """The only group that is seen; ``None`` for all. Signed tokens have one."""
    consumer_ref: str | None = None
    policy: AccessPolicy = AccessPolicy()
    warning: str | None = None
    """What whoever wrote the page is told with every answer."""

    def enter(self, project_id_or_name: str) -> str:
        """Answer the project's id. Raises `Missing` for any other project, just as for one that does not exist."""
        if project_id_or_name in (self.project_id, self.project_name):
            return self.project_id
        raise Missing("There is no such project.")

    def require_full(self) -> None:
        """Raises `Forbidden` for a credential that ships in browsers."""
        if self.reach != "full":
            raise Forbidden(_NOT_FULL[self.reach])

    def require_page(self, origin: str | None, *, our_origin: str | None = None) -> None:
        """Raises `Forbidden` where the project bars a browser's credential, or the page that uses it.

        ``origin`` is what the ``Origin`` header says; where pages are listed, a request without it comes from none.
        ``our_origin`` counts as listed for tokens: its only page that uses any is the one for iframes, which works
        inside listed pages alone (`server.api.embed`).
        """
        if self.reach == "full":
            if self.is_full_in_page(origin, our_origin=our_origin) and not self._lets_in_keys_of(origin):
                raise Forbidden(FULL_KEY_IN_A_PAGE)
            return
        if self.reach == "frontend" and self.policy.require_jwt:
            raise Forbidden(
                "This project lets no frontend key in (accessPolicy.requireJwt): have your backend sign a JWT for the "
                "person, and send it as Authorization: Bearer."
            )
        listed = self.policy.allowed_origins
        is_ours = self.reach == "token" and origin is not None and origin == our_origin
        if listed and origin not in listed and not is_ours:
            raise Forbidden("This project lets in only pages of the origins listed in accessPolicy.allowedOrigins.")

    def is_full_in_page(self, origin: str | None, *, our_origin: str | None = None) -> bool:
        """Tell whether a key that is kept on a server comes from a page, other than one of our own."""
        return self.reach == "full" and origin is not None and origin != our_origin

    def _lets_in_keys_of(self, origin: str | None) -> bool:
        listed = self.policy.allowed_origins
        return not self.policy.require_jwt and (not listed or origin in listed)

    def sees(self, group_ref: str) -> bool:
        """Tell whether a group's things exist for this caller."""
        return self.group_ref is None or self.group_ref == group_ref

    def require_one_group(self, group_ref: str | None) -> None:
        """Raises `Forbidden` where a key that every visitor's browser has asks for a list of all groups' things."""
        if self.reach == "frontend" and group_ref is None:
            raise Forbidden("A frontend key lists the things of one group; name it in groupRef.")

    def hides(self, group_ref: str | None) -> bool:
        """Tell whether a list that was asked for one group's things (``None``: for all) is empty for this caller."""
        return group_ref is not None and not self.sees(group_ref)

    def require_sight(self, group_ref: str, *, noun: str, name: str) -> None:
        """Raises `Missing` for a stored thing of a group that is not seen, word for word as stores miss one."""
        if not self.sees(group_ref):
            raise Missing(f"no {noun} {name!r}")

    def require_person(self, group_ref: str, consumer_ref: str | None = None) -> None:
        """Raises `Forbidden` where a request names another group or consumer than the caller's token does."""
        if not self.sees(group_ref):
            raise Forbidden("The token was signed for another group.")
        if self.consumer_ref is not None and consumer_ref not in (None, self.consumer_ref):
            raise Forbidden("The token was signed for another consumer.")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A token whose signature was checked."""

    key_id: str
    person: Person


class Keyring:
    """Answers who presents a credential. A few microseconds when it was presented a moment ago."""

    def __init__(
        self,
        store: KeyStore,
        *,
        public_url: str = "",
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._public_url = public_url
        self._origin = origin_of(public_url)
        self._clock = clock
        self._keys = Remembered(self._look_up, monotonic=monotonic)
        self._signers = Remembered(self._signer, monotonic=monotonic)
        self._verified: dict[bytes, Verified] = {}
        self._told: set[str] = set()

    def forget(self) -> None:
        """Drop everything remembered, because something changed. A look-up under way is not remembered either."""
        self._keys.forget()
        self._signers.forget()
        self._verified.clear()

    async def admit(self, headers: Iterable[tuple[bytes, bytes]]) -> Access:
        """Answer what the credential in a request's raw headers opens.

        Raises `Unauthenticated`, and `Forbidden` where the project bars this kind of credential or the page.
        """
        shown = read_credentials(headers)
        if shown.token is None:
            access = await self.authenticate(shown.api_key)
        else:
            access = await self._speak_for(shown.token)
        origin = self._origin if shown.from_our_page else shown.origin
        access.require_page(origin, our_origin=self._origin)
        if access.is_full_in_page(origin, our_origin=self._origin):
            return self._warned(access)
        return access

    def _warned(self, access: Access) -> Access:
        """Tell of a key that should not be where it is: its page always, the operator once for each key."""
        if access.key_id not in self._told:
            if len(self._told) >= REMEMBER_MOST:
                self._told.clear()
            self._told.add(access.key_id)
            fields = {"project_id": access.project_id, "key_id": access.key_id}
            logs.event("api_key.full_in_page", level=logging.WARNING, **fields)
        return msgspec.structs.replace(access, warning=FULL_KEY_IN_A_PAGE)

    async def authenticate(self, presented: str | None) -> Access:
        """Answer what the value of the ``X-Api-Key`` header opens. Raises `Unauthenticated`."""
        if presented is None:
            raise Unauthenticated("Send an API key in X-Api-Key, or a signed token as Authorization: Bearer.")
        return await self._keys.get(presented)

    async def _look_up(self, presented: str) -> Access:
        key = await self._store.api_key(digest(presented)) if is_well_formed(presented) else None
        if key is None or not key.active:
            raise Unauthenticated("The API key is unknown or was switched off.")
        reach: Reach = "full" if "full" in key.scopes else "frontend"
        return _access(await self._store.project(key.project_id), key_id=key.id, reach=reach)

    async def _speak_for(self, token: str) -> Access:
        """Answer what a token opens. Its signature is checked once; whether its key is in use, every second."""
        now = self._clock().timestamp()
        name = hashlib.sha256(token.encode("latin-1")).digest()
        known = self._verified.get(name)
        signer, access = await self._signers.get(known.key_id if known else key_id_of(token))
        if known is None:
            known = Verified(key_id=signer.key_id, person=verify(token, signer, now=int(now)))
            if len(self._verified) >= REMEMBER_MOST:
                self._verified.clear()
            self._verified[name] = known
        known.person.require_time(now)
        return msgspec.structs.replace(access, group_ref=known.person.group_ref, consumer_ref=known.person.consumer_ref)

    async def _signer(self, key_id: str) -> tuple[Signer, Access]:
        key = await self._store.jwt_key(key_id)
        if key is None:
            raise unknown_signer()
        project = await self._store.project(key.project_id)
        signer = signer_of(key, audiences={self._public_url, project.id, project.name} - {""})
        return signer, _access(project, key_id=key.id, reach="token")


def _access(project: Project, *, key_id: str, reach: Reach) -> Access:
    return Access(
        project_id=project.id,
        project_name=project.name,
        key_id=key_id,
        reach=reach,
        policy=project.access_policy or AccessPolicy(),
    )
