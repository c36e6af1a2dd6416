"""What a token answer tells of the account, kept with the connection where it is new."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from connectors.grants import Granted
from connectors.provider import Provider
from installations.errors import InstallationsError
from installations.installation import Connection
from server import logs
from server.clock import Clock, NewId
from server.connecting.passage import Customer
from server.connecting.workspaces import Told, is_another, metadata_after, workspace_after
from server.events import connection_event
from server.places import Places
from server.store.contract import Connections, Missing, Superseded


class Learning:
    """Keeps facts. That is a change of configuration, of which the builder is told; what is known already is none."""

    def __init__(self, store: Connections, places: Places, *, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._places = places
        self._clock = clock
        self._new_id = new_id

    async def learn(self, connection: Connection, granted: Granted, *, version: int) -> None:
        """Keep what a renewal told. Raises `StoreError`.

        Facts that would make it another account than the customer connected are left out, and that is recorded.
        """
        provider = self._places.connector(connection.provider).provider
        told = Told(workspace_ref=granted.workspace_ref, consumer_ref=granted.consumer_ref, facts=granted.facts)
        news = _news(connection, provider, told)
        if is_another(connection, provider, told) or self._moves(connection, news):
            logs.event(
                "connection.account_differs",
                project_id=connection.project_id,
                connection_id=connection.id,
                members=sorted(news),
            )
        elif news:
            await self._keep(connection, news, version=version)

    async def _keep(self, connection: Connection, news: Mapping[str, Any], *, version: int) -> None:
        now = self._clock()
        event = connection_event("connection.updated", connection, event_id=self._new_id(), now=now)
        try:
            await self._store.update_connection(
                connection.project_id, connection.id, now=now, if_version=version, event=event, **news
            )
        except (Missing, Superseded):
            return

    def _moves(self, connection: Connection, news: Mapping[str, Any]) -> bool:
        ref, metadata = connection.provider_workspace_ref, connection.provider_metadata
        try:
            was = self._places.account(connection.provider, workspace_ref=ref, metadata=metadata)
            would_be = self._places.account(
                connection.provider,
                workspace_ref=news.get("provider_workspace_ref", ref),
                metadata=news.get("provider_metadata", metadata),
            )
        except InstallationsError:
            return True
        return was.base_url != would_be.base_url


def _news(connection: Connection, provider: Provider, told: Told) -> dict[str, Any]:
    """List what would be written down if the customer connected now, where that is not what stands there."""
    customer = Customer(
        provider=connection.provider,
        group_ref=connection.group.group_ref,
        consumer_ref=connection.consumer.consumer_ref,
        workspace_ref=connection.provider_workspace_ref,
        metadata=dict(connection.provider_metadata or {}),
    )
    would_be = {
        "provider_workspace_ref": workspace_after(customer, provider, told),
        "provider_consumer_ref": told.consumer_ref or UNSET,
        "provider_metadata": metadata_after(customer, provider, told) or UNSET,
    }
    return {
        name: value for name, value in would_be.items() if value is not UNSET and value != getattr(connection, name)
    }
