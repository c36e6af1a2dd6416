"""The use case of deploying: manifests become revisions; what a destructive deploy drops is paused where installed."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from connectors.provider import Provider, Support
from installations.capabilities import Capabilities, ProviderFacts
from installations.config import ConfigContent
from installations.installation import Config, Installation, Integration
from installations.manifest import IntegrationSpec
from server.events import installation_change
from server.services import Services

SPEC_VERSION = "1.0.0"


def provider_facts(services: Services) -> dict[str, ProviderFacts]:
    """Tell the manifest checks what the catalog knows."""
    return {name: _facts(provider) for name, provider in services.accounts.providers.items()}


def _facts(provider: Provider) -> ProviderFacts:
    modules = {provider.default_module: _capabilities(provider.support)} if provider.default_module else {}
    return ProviderFacts(name=provider.name, support=_capabilities(provider.support), modules=modules)


def _capabilities(support: Support) -> Capabilities:
    return Capabilities(
        # A read object is the home of the mappings that writes inherit, so it may be declared wherever we write.
        read=support.read or support.write,
        write=support.write,
        delete=support.delete,
        subscribe=support.subscribe,
        proxy=support.proxy,
    )


async def deploy(
    services: Services, project_id: str, specs: Sequence[IntegrationSpec], *, destructive: bool
) -> list[Integration]:
    """Make a revision of each integration whose content changed; answer the integrations in the order given.

    Destructive: reads of objects that the new revision has no more are paused in every installation.
    """
    before = {one.name: one for one in await services.store.integrations(project_id)}
    ids = [services.new_id() for _ in range(2 * len(specs))]
    deployed = await services.store.deploy(project_id, specs, spec_version=SPEC_VERSION, now=services.clock(), ids=ids)
    if destructive:
        for integration in deployed:
            await _pause_dropped(services, before.get(integration.name), integration)
    return deployed


async def _pause_dropped(services: Services, before: Integration | None, after: Integration) -> None:
    dropped = _read_objects(before) - _read_objects(after)
    if not dropped:
        return
    for installation in await services.store.installations(after.project_id, integration_id=after.id):
        await _pause(services, installation, dropped, integration_name=after.name)


async def _pause(services: Services, installation: Installation, dropped: set[str], *, integration_name: str) -> None:
    content = _paused(installation.config.content, dropped)
    if content == installation.config.content:
        return
    now = services.clock()
    config = Config(
        id=services.new_id(),
        revision_id=installation.config.revision_id,
        create_time=now,
        created_by="api:destructive-deploy",
        content=content,
    )
    await services.store.update_installation(
        installation.project_id,
        installation.id,
        now=now,
        if_config=installation.config.id,
        config=config,
        event_for=installation_change(integration_name=integration_name, event_id=services.new_id(), now=now),
    )


def _paused(content: ConfigContent, dropped: set[str]) -> ConfigContent:
    if content.read is UNSET:
        return content
    objects = {
        name: msgspec.structs.replace(one, disabled=True) if name in dropped else one
        for name, one in content.read.objects.items()
    }
    return msgspec.structs.replace(content, read=msgspec.structs.replace(content.read, objects=objects))


def _read_objects(integration: Integration | None) -> set[str]:
    spec = integration.latest_revision.content if integration is not None else None
    return {one.object_name for one in spec.read.objects} if spec is not None and spec.read is not UNSET else set()
