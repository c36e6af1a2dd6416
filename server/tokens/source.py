"""The token of one connection in one process: which one to send, and one renewal at a time for all who wait."""

import asyncio
from datetime import datetime, timedelta

from connectors.credentials import Tokened, secrets_of
from connectors.errors import ConnectorError, NotSent, Refused
from connectors.grants import DEAD_GRANT
from connectors.provider import Provider
from connectors.secret import Secret
from installations.installation import Connection
from installations.record import Fault
from server import logs
from server.clock import Clock
from server.tokens.errands import Errands
from server.tokens.held import LONG_AGO, Held, hold, issued_at
from server.tokens.pace import Pace
from server.tokens.pause import Pause
from server.tokens.renewals import Renewals, Stored, is_dead
from server.tokens.standing import Standing
from server.tokens.wording import refused, unsent

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far the clocks of two processes may be apart."""


JUST_NOW = timedelta(minutes=1)


class ConnectionTokens:
    """A `TokenSource`, and the `Verdicts` on what it gives. There is one for each connection in use.

    In memory it may be behind the store, never ahead of it.
    """

    def __init__(
        self,
        opened: Stored,
        *,
        provider: Provider,
        renewals: Renewals,
        standing: Standing,
        errands: Errands,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._provider = provider
        self._renewals = renewals
        self._standing = standing
        self._errands = errands
        self._clock = clock
        self._pace = pace
        self._pause = Pause(pace)
        self._failure: ConnectorError | None = None
        """Why the last renewal failed; while the pause lasts, or for good if the grant is dead."""
        self._rejections = Pause(pace)
        self.troubled = False
        self._ours = 0
        """The last version that was renewed here."""
        self._rejected = 0
        """The version of which even the renewed token was refused."""
        self._running: asyncio.Task[Held] | None = None
        self._stands(opened.connection)
        self._held = self._hold(opened.credentials, opened.version)
        self.secrets = secrets_of(provider, opened.credentials)

    @property
    def version(self) -> int:
        """Which credentials are held."""
        return self._held.version

    def take_in(self, opened: Stored) -> None:
        """Hear what the store has, whoever asked it."""
        if opened.version > self._held.version:
            self._rejections.end()
            self._adopt(opened)
        elif opened.version == self._held.version:
            self._stands(opened.connection)

    async def token(self) -> Secret:
        """Answer the token to send. Past four fifths of its life a renewal runs beside; past its end it is waited for.

        Raises `NotSent`, and `StoreError` where the database is away and the token is over.
        """
        held, now = self._held, self._clock()
        if held.token is not None and now < held.renew_at:
            return held.token
        if held.token is not None and now < held.over_at:
            self._renew_beside(held)
            return held.token
        try:
            return _token(await self._later(than=held.version))
        except ConnectorError as error:
            raise unsent(error, self._provider, after_seconds=self._after_seconds()) from error

    async def renewed(self, refused_token: Secret) -> Secret | None:
        """Answer a newer token than the one refused. ``None`` where there is none, so that the refusal stands.

        Raises `Refused`, of the kind ``auth`` only if the grant is dead; and `StoreError`.
        """
        held = self._held
        if held.token is not None and held.token != refused_token:
            return held.token
        if not held.renewable or self._rejections.seconds_left > 0:
            return await self._another_ones(held)
        try:
            return _token(await self._later(than=held.version))
        except ConnectorError as error:
            raise refused(error, self._provider, after_seconds=self._after_seconds()) from error

    def rejected(self, token: Secret) -> bool:
        """Hear that a newer token was refused too; tell whether that is the last word.

        It is if the token was renewed here and now: renewing once more would only wear the grant out.
        """
        held = self._held
        given = issued_at(held.credentials) or LONG_AGO
        if token != held.token or held.version != self._ours or self._clock() - given > JUST_NOW:
            return False
        if self._rejected != held.version:
            self._rejected = held.version
            self._rejections.lengthen()
        return True

    async def refused(self, fault: Fault, *, version: int) -> None:
        """Mark the connection, if it was the present credentials that were refused."""
        held = self._held.version
        if self.troubled or self._is_renewing() or held not in (version, self._rejected):
            return
        self.troubled = True
        work = self._standing.fell_alone(self._connection, version=held, fault=fault)
        self.troubled = await self._errands.see_through(work)

    def accepted(self) -> None:
        """Take the mark away, beside the request, unless the token that was taken only outlives its dead grant."""
        if not self.troubled or self._is_dead():
            return
        if self._held.renewable and self._rejected != self._held.version:
            # Marked before our time, nobody here knows why: a renewal tells whether the grant lives.
            self._renew_beside(self._held)
            return
        self.troubled = False
        self._rejections.end()
        work = self._standing.rose_alone(self._connection, version=self._held.version)
        self._errands.run("connection.healing_failed", work)

    async def refresh(self, *, force: bool) -> None:
        """Renew now: always with ``force``, else if the token is over.

        Raises `Refused` where the provider did, `NotSent` where it could not be asked or did not say, `StoreError`.
        """
        held = self._adopt(await self._renewals.stored(self._connection.project_id, self._connection.id))
        if not force and self._clock() < held.over_at:
            return
        try:
            if not held.renewable:
                raise _nothing_to_renew_with()
            await self._later(than=held.version, force=force)
        except Refused as error:
            raise refused(error, self._provider, after_seconds=self._after_seconds()) from error
        except ConnectorError as error:
            raise unsent(error, self._provider, after_seconds=self._after_seconds()) from error

    async def keep_alive(self, *, since: datetime) -> None:
        """Renew a token that was given before ``since``. Raises `ConnectorError`, `StoreError`."""
        held = self._held
        given = issued_at(held.credentials)
        # A time to come is what a caller said of tokens from elsewhere, and no renewal of ours.
        if held.renewable and (given is None or not since <= given <= self._clock() + CLOCKS_DIFFER):
            await self._later(than=held.version)

    async def _another_ones(self, held: Held) -> Secret | None:
        """Answer the token of credentials that somebody else has stored meanwhile."""
        stored = await self._renewals.stored(self._connection.project_id, self._connection.id)
        if stored.version > held.version:
            return self._adopt(stored).token
        self._rejected = held.version
        return None

    def _renew_beside(self, held: Held) -> None:
        if held.renewable and not self._is_renewing() and not self._is_dead() and self._pause.seconds_left <= 0:
            self._errands.run("token.renewal_failed", self._quietly(held))

    async def _quietly(self, held: Held) -> None:
        try:
            await self._later(than=held.version)
        except ConnectorError:
            return  # recorded already; the token is still good

    async def _later(self, *, than: int, force: bool = False) -> Held:
        """Answer what is held of a later version. All who ask meanwhile wait for one renewal, which goes on without
        them.
        """  # noqa: D205
        if self._held.version > than:
            return self._held
        running = self._running
        if running is None or running.done():
            running = self._running = self._errands.start(self._renew(than, force=force))
        await asyncio.wait({running}, timeout=self._pace.patience_seconds)
        if not running.done():
            raise NotSent(Fault(kind="not_sent", message="the token endpoint takes too long"))
        return running.result()

    async def _renew(self, known: int, *, force: bool) -> Held:
        who = self._connection.project_id, self._connection.id
        failure = self._failure
        if failure is not None and not force and (self._is_dead() or self._pause.seconds_left > 0):
            # Others may have been luckier, or the customer has connected again.
            stored = await self._renewals.stored(*who)
            if stored.version <= known:
                raise failure
            return self._adopt(stored)
        try:
            return self._adopt(await self._renewals.renew(*who, known=known))
        except ConnectorError as error:
            self._failed(error)
            raise

    def _failed(self, error: ConnectorError) -> None:
        self._failure = error
        self._pause.lengthen(at_least=error.fault.retry_after_seconds)
        self.troubled |= is_dead(error)
        logs.event(
            "token.renewal_failed",
            project_id=self._connection.project_id,
            connection_id=self._connection.id,
            provider=self._provider.name,
            fault=error.fault.kind,
            code=error.fault.code,
            status=error.fault.status,
        )

    def _adopt(self, stored: Stored) -> Held:
        if stored.version > self._held.version:
            previous = self._held.token
            self._held = self._hold(stored.credentials, stored.version)
            self._ours = stored.version if stored.is_ours else self._ours
            self._failure = None
            self._pause.end()
            self._stands(stored.connection)
            # Requests under way may still carry the token before.
            old = () if previous is None else (previous.reveal().encode(),)
            self.secrets = (*secrets_of(self._provider, stored.credentials), *old)
        return self._held

    def _stands(self, connection: Connection) -> None:
        self._connection = connection
        self.troubled = connection.status == "bad_credentials"

    def _hold(self, credentials: Tokened, version: int) -> Held:
        return hold(credentials, version=version, now=self._clock(), chance=self._pace.random())

    def _is_renewing(self) -> bool:
        return self._running is not None and not self._running.done()

    def _is_dead(self) -> bool:
        return self._failure is not None and is_dead(self._failure)

    def _after_seconds(self) -> float | None:
        return None if self._is_dead() else max(self._pause.seconds_left, 0.0) or None


def _token(held: Held) -> Secret:
    if held.token is None:
        raise NotSent(Fault(kind="not_sent", message="no token has been had"))
    return held.token


def _nothing_to_renew_with() -> Refused:
    return Refused(Fault(kind="auth", message="there is no refresh token", code=DEAD_GRANT))
