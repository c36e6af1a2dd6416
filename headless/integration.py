"""One integration over HTTP, typed: its installations, and everything about what a customer chooses.

Contents may be given as `ConfigContent` or as plain data in the form of the wire; what comes back is typed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from headless.answers import Edited, Reviewed
from headless.calls import Calls, Json, given, query, segment
from headless.draft import Draft
from headless.edits import Edit
from headless.masks import mask
from installations.config import ConfigContent
from installations.explain import Explanation
from installations.hydration import HydratedRevision
from installations.installation import Installation, Integration
from installations.shape import decode

Content = ConfigContent | Mapping[str, Any]
_DETAIL = {"X-Isthmus-Detail": "true"}


class IntegrationClient:
    """An integration of a project. Every method raises `ApiError` for what the server refuses."""

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls = calls
        self._path = f"/integrations/{segment(name)}"

    async def show(self) -> Integration:
        """Answer the integration with its latest manifest."""
        return await self._calls.read(Integration, "GET", self._path)

    async def installations(self, *, group_ref: str | None = None) -> list[Installation]:
        """List its installations, oldest first."""
        asked = f"{self._path}/installations{query(group_ref=group_ref)}"
        return await self._calls.read(list[Installation], "GET", asked)

    async def installation(self, installation_id: str) -> Installation:
        """Answer an installation with its latest config."""
        return await self._calls.read(Installation, "GET", self._one(installation_id))

    async def installed_for(self, group_ref: str) -> Installation | None:
        """Answer a group's installation; `None` where it has none."""
        found = await self.installations(group_ref=group_ref)
        return found[0] if found else None

    async def draft(self, *, group_ref: str) -> Draft:
        """Begin a draft: of what the group has installed, or of a first config. Nothing is saved by it."""
        found = await self.installed_for(group_ref)
        spec = (await self.show()).latest_revision.content
        return Draft(spec, found.config.content if found else None)

    async def create(
        self, *, group_ref: str, content: Content, connection_id: str | None = None, created_by: str | None = None
    ) -> Installation:
        """Install it for a group. Asking again for the same answers the same installation."""
        config = given(content=content, created_by=created_by)
        body = given(group_ref=group_ref, connection_id=connection_id, config=config)
        return await self._calls.read(Installation, "POST", f"{self._path}/installations", body)

    async def update(
        self,
        installation: Installation,
        *,
        content: Content | None = None,
        connection_id: str | None = None,
        created_by: str | None = None,
    ) -> Installation:
        """Change an installation to this content, naming only what differs from ``installation``.

        What somebody else changed meanwhile stays, unless it is the very same. Where nothing differs, nothing is sent.
        Raises `InvalidInput` for a change that no mask can name (`headless.masks.mask`).
        """
        paths: list[str] = []
        config: Json = given(created_by=created_by)
        if content is not None:
            wanted = content if isinstance(content, ConfigContent) else decode(content, ConfigContent, path="content")
            changed, sent = mask(installation.config.content, wanted)
            paths += changed
            config |= {"content": sent} if sent else {}
        paths += ["connectionId"] if connection_id is not None else []
        paths += ["config.createdBy"] if created_by is not None and paths else []
        if not paths:
            return installation
        asked = given(connection_id=connection_id, config=config)
        body = {"updateMask": paths, "installation": asked}
        return await self._calls.read(Installation, "PATCH", self._one(installation.id), body)

    async def delete(self, installation_id: str) -> None:
        """Remove an installation, and its connection if nothing else uses it."""
        await self._calls.call("DELETE", self._one(installation_id))

    async def edit(
        self,
        installation_id: str,
        edits: Sequence[Edit],
        *,
        dry_run: bool = False,
        if_config: str | None = None,
        created_by: str | None = None,
    ) -> Edited:
        """Make edits on the config as it is then: all of them, or none.

        ``if_config`` is the id of the only config that they are meant for; once it is another one, they are refused
        (409). A dry run answers the same and saves nothing.
        """
        body = given(edits=edits, dry_run=dry_run or None, if_config=if_config, created_by=created_by)
        return await self._calls.read(Edited, "POST", f"{self._one(installation_id)}:edit", body)

    async def review(
        self, *, group_ref: str, content: Content, connection_id: str | None = None, refresh: bool = False
    ) -> Reviewed:
        """Answer what saving this content would say. With ``refresh`` the account is asked anew for what it has."""
        body = given(group_ref=group_ref, content=content, connection_id=connection_id, refresh=refresh or None)
        return await self._calls.read(Reviewed, "POST", f"{self._path}:review", body)

    async def preview(
        self,
        object_name: str,
        record: Mapping[str, Any],
        *,
        group_ref: str,
        content: Content,
        type: Literal["create", "update", "upsert", "delete"] = "create",  # noqa: A002 -- the published name
        connection_id: str | None = None,
        match_key: str | None = None,
        current: Mapping[str, Any] | UnsetType | None = UNSET,
    ) -> Explanation:
        """Answer what a write of this record would become under this content. No provider is called.

        ``current`` is the record as the provider has it, in its own names, for rules that look at it: `None` where it
        has no such record, `UNSET` where that is not known.
        """
        body = given(
            group_ref=group_ref,
            content=content,
            object_name=object_name,
            type=type,
            record=record,
            connection_id=connection_id,
            match_key=match_key,
        )
        body |= {} if current is UNSET else {"current": current}
        return await self._calls.read(Explanation, "POST", f"{self._path}:preview", body)

    async def hydrate(
        self, *, connection_id: str, revision_id: str | None = None, refresh: bool = False
    ) -> HydratedRevision:
        """Answer a manifest, by default the latest, filled in with the fields of a connection's account."""
        revision = revision_id or (await self.show()).latest_revision.id
        asked = query(connection_id=connection_id, refresh="true" if refresh else None)
        path = f"{self._path}/revisions/{segment(revision)}:hydrate{asked}"
        return await self._calls.read(HydratedRevision, "GET", path, headers=_DETAIL)

    def _one(self, installation_id: str) -> str:
        return f"{self._path}/installations/{segment(installation_id)}"
