"""Which of the provider's workspaces a consent was given for, and what is written down about it."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from connectors.provider import Provider
from installations.installation import Connection, MetadataValue
from server.connecting.passage import Customer, values_of
from server.inputs import completed
from server.places import account_values

Metadata = dict[str, MetadataValue]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider told about the account along with a token; nothing where it tells nothing."""

    workspace_ref: str | None = None
    consumer_ref: str | None = None
    facts: Mapping[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    """From a name to a value and its display name."""


def metadata_after(customer: Customer, provider: Provider, told: Told) -> Metadata:
    """Answer what the customer filled in and what the provider told, which wins."""
    facts = {
        name: MetadataValue(value=value, source="token", display_name=display or UNSET)
        for name, (value, display) in told.facts.items()
    }
    name = _workspace_field(provider)
    if name and told.workspace_ref:
        facts.setdefault(name, MetadataValue(value=told.workspace_ref, source="token"))
    return {**completed(customer.metadata, provider, workspace_ref=customer.workspace_ref), **facts}


def workspace_after(customer: Customer, provider: Provider, told: Told) -> str | UnsetType:
    """Answer the reference of the workspace: in the customer's spelling where URLs are made of it."""
    ref = told.workspace_ref or UNSET
    return (customer.workspace_ref or ref) if _is_asked(provider) else (ref or customer.workspace_ref)


def is_another(connection: Connection, provider: Provider, told: Told) -> bool:
    """Tell whether a consent was given for another workspace than a connection's. Where nobody can tell, it was not."""
    known = _told_before(connection, provider)
    return known is not None and told.workspace_ref is not None and known != told.workspace_ref


def wants_another(connection: Connection, customer: Customer, provider: Provider, told: Told) -> bool:
    """Tell whether a customer's consent is for another workspace than a connection's.

    The provider's word decides; where it gives none, what the customer filled in does.
    """
    if _told_before(connection, provider) is not None and told.workspace_ref is not None:
        return is_another(connection, provider, told)
    ref, metadata = connection.provider_workspace_ref, connection.provider_metadata
    before, now = account_values(workspace_ref=ref, metadata=metadata), values_of(customer)
    known = {"workspace", *_inputs(provider)} & before.keys() & now.keys()
    # Most of them become host names, for which capitals are nothing.
    return any(before[name].casefold() != now[name].casefold() for name in known)


def _told_before(connection: Connection, provider: Provider) -> str | None:
    """Answer what the provider called the connection's workspace; customers may call it otherwise."""
    entry = (connection.provider_metadata or {}).get(_workspace_field(provider))
    if entry is not None and entry.source == "token":
        return entry.value
    return None if _is_asked(provider) else connection.provider_workspace_ref or None


def _is_asked(provider: Provider) -> bool:
    options = provider.oauth2_opts
    return "workspace" in _inputs(provider) or (options is not UNSET and options.explicit_workspace_required)


def _inputs(provider: Provider) -> set[str]:
    return {item.name for item in provider.metadata.input} if provider.metadata is not UNSET else set()


def _workspace_field(provider: Provider) -> str:
    """Name the entry for it as the provider does: ``instance_url``, ``workspace_id``; empty where it tells none."""
    field = UNSET if provider.oauth2_opts is UNSET else provider.oauth2_opts.token_metadata_fields.workspace_ref_field
    return (field or "").rpartition(".")[2]
