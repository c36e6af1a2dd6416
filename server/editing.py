"""The use case of editing an installation: named changes of its config, all of them or none."""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from headless.answers import Edited
from headless.applying import apply
from headless.edits import Edit
from headless.masks import mask
from headless.meaning import plainest
from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.installation import Installation
from installations.manifest import IntegrationSpec
from server.access.keyring import Access
from server.revising import Revised, revise
from server.services import Services
from server.store.contract import Superseded


class ConfigChanged(Superseded):
    """The config is not the one that the caller saw."""


async def edit(
    services: Services,
    access: Access,
    installation: Installation,
    edits: Sequence[Edit],
    *,
    created_by: str | UnsetType = UNSET,
    if_config: str | UnsetType = UNSET,
    rehearsal: bool = False,
) -> Edited:
    """Make the edits on the config as it is at that moment: when somebody is faster, on theirs.

    Edits without effect save nothing and tell nobody: the installation stays as it is, with its config's id.
    ``if_config`` is the id of the only config they are meant for. A ``rehearsal`` does all of it but save.

    Raises `InvalidInput` with every issue, of the edits (``edits[3].objectName``) or of the config that they make,
    `ConfigChanged`, and `Superseded` after several races.
    """
    specs = await _specs(services, installation)

    def ask(current: Installation) -> Revised:
        if if_config is not UNSET and current.config.id != if_config:
            raise ConfigChanged(f"The config is {current.config.id} by now; read it, and edit again.")
        content = _applied(specs, current.config.content, edits)
        if plainest(content) == plainest(current.config.content):
            return Revised()
        return Revised(content=msgspec.to_builtins(content), created_by=created_by)

    # In this process one after the other, each on what the one before has made; a race is with another process then.
    async with services.editing.taken([] if rehearsal else [installation.id]):
        current = await services.store.installation(installation.project_id, installation.id)
        saved = await revise(services, access, current, ask, rehearsal=rehearsal)
    changed, _ = await asyncio.to_thread(mask, saved.before.config.content, saved.installation.config.content)
    return Edited(installation=saved.installation, issues=saved.issues, changed=changed)


async def _specs(services: Services, installation: Installation) -> tuple[IntegrationSpec, ...]:
    """List the manifests to edit by: the latest, which the customer's form shows, and the installation's own."""
    integration = await services.store.integration(installation.project_id, installation.integration_id)
    latest, own_id = integration.latest_revision, installation.config.revision_id
    if latest.id == own_id:
        return (latest.content,)
    return latest.content, (await services.store.revision(installation.project_id, own_id)).content


def _applied(specs: tuple[IntegrationSpec, ...], content: ConfigContent, edits: Sequence[Edit]) -> ConfigContent:
    """Edit by the first manifest that knows what the edits name; if none does, say what the latest lacks."""
    refusals: list[InvalidInput] = []
    for spec in specs:
        try:
            return apply(spec, content, edits)
        except InvalidInput as error:
            refusals.append(error)
    raise refusals[0]
