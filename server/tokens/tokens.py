"""The tokens of all connections: who gives them, gets the first one, and renews them on demand."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from weakref import WeakValueDictionary

from connectors.credentials import AuthorizationCodeTokens, Credentials, Tokened, tokened
from connectors.provider import Provider
from connectors.signatures import Verdicts
from installations.installation import Connection
from server.clock import Clock, NewId
from server.places import Places
from server.store.contract import Store
from server.tokens.errands import Errands
from server.tokens.grants import Ask, Grants, Holder
from server.tokens.held import with_granted
from server.tokens.learning import Learning
from server.tokens.pace import Pace
from server.tokens.renewals import Renewals, Stored
from server.tokens.solitude import NotAlone, Solitude
from server.tokens.source import ConnectionTokens
from server.tokens.standing import FixedVerdicts, Standing

REMEMBERED = 20_000
"""Of how many connections the token is kept at hand, although nothing else refers to it."""
FINISH_SECONDS = 4.0
"""How long a renewal under way may take when the process ends. What is broken off then is taken up by a process that
lives, or by the next one."""


class Tokens:
    """Everything about tokens, for the place that wires it."""

    def __init__(
        self,
        store: Store,
        places: Places,
        *,
        ask: Ask,
        clock: Clock,
        new_id: NewId,
        owner: str,
        pace: Pace,
    ) -> None:
        self.errands = Errands()
        self.pace = pace
        self._clock = clock
        self._providers: Mapping[str, Provider] = places.providers
        self._solitude = Solitude(store, owner=owner, pace=pace)
        self._standing = Standing(store, self._solitude, clock=clock, new_id=new_id)
        self._grants = Grants(store, places, ask=ask)
        self._renewals = Renewals(
            store,
            providers=self._providers,
            grants=self._grants,
            solitude=self._solitude,
            standing=self._standing,
            learning=Learning(store, places, clock=clock, new_id=new_id),
            clock=clock,
            pace=pace,
        )
        # A connection must never have two sources: each would renew by itself. So those that are in use are found
        # as long as they are, and those used lately for longer.
        self._sources: WeakValueDictionary[str, ConnectionTokens] = WeakValueDictionary()
        self._lately: OrderedDict[str, ConnectionTokens] = OrderedDict()

    def source(self, connection: Connection, credentials: Tokened, *, version: int) -> ConnectionTokens:
        """Answer who gives the token of a connection, told what the store has of it."""
        return self._source(Stored(connection=connection, credentials=credentials, version=version))

    def verdicts(self, connection: Connection, *, version: int) -> Verdicts:
        """Answer who takes note of what becomes of credentials without a token."""
        return FixedVerdicts(connection, version=version, standing=self._standing, errands=self.errands)

    async def first(
        self, provider: Provider, credentials: Credentials, *, project_id: str, values: Mapping[str, str]
    ) -> Credentials:
        """Get the token of credentials that have none yet; others are answered as they are. Nothing is stored.

        Raises `ConnectorError` in the provider's words.
        """
        held = tokened(provider, credentials)
        if held is None or isinstance(held, AuthorizationCodeTokens) or held.token is not None:
            return credentials
        holder = Holder(project_id=project_id, provider=provider.name, values=values)
        return with_granted(held, await self._grants.next(holder, held), now=self._clock())

    async def refresh(self, connection: Connection, *, force: bool) -> Connection:
        """Renew a connection's token: always with ``force``, else if it is over. Answers the connection as it is then.

        Credentials without a token are left as they are. Raises `ConnectorError`, `StoreError`.
        """
        stored = await self._renewals.find(connection.project_id, connection.id)
        if stored is None:
            return connection
        await self._source(stored).refresh(force=force)
        return (await self._renewals.stored(connection.project_id, connection.id)).connection

    async def keep_alive(self, project_id: str, connection_id: str, *, since: datetime) -> None:
        """Renew a token unless it was given at ``since`` or later. Raises `ConnectorError`, `StoreError`."""
        stored = await self._renewals.find(project_id, connection_id)
        if stored is not None and stored.connection.status != "bad_credentials":
            await self._source(stored).keep_alive(since=since)

    async def clear_lease(self, name: str) -> None:
        """Forget a lease that a dead process has left. Raises `StoreError`."""
        try:
            async with self._solitude.alone(name, patience=0.0):
                return
        except NotAlone:
            return

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await self.errands.finish(within_seconds=FINISH_SECONDS)

    def _source(self, stored: Stored) -> ConnectionTokens:
        name = stored.connection.id
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = self._new_source(stored)
        else:
            source.take_in(stored)
        self._lately[name] = source
        self._lately.move_to_end(name)
        if len(self._lately) > REMEMBERED:
            self._lately.popitem(last=False)
        return source

    def _new_source(self, stored: Stored) -> ConnectionTokens:
        return ConnectionTokens(
            stored,
            provider=self._providers[stored.connection.provider],
            renewals=self._renewals,
            standing=self._standing,
            errands=self.errands,
            clock=self._clock,
            pace=self.pace,
        )
