"""The tables of configuration: integrations, who uses them, and access to providers."""

from piccolo.columns import Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from server.store.engine import ENGINE
from server.store.tables.tenants import Projects


class Integrations(Table, tablename="integrations", db=ENGINE):
    """Integrations; ``revision_id`` is the latest."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    name = Text()
    provider = Text()
    revision_id = Text()
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class Revisions(Table, tablename="revisions", db=ENGINE):
    """Immutable deployments of integrations."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    integration_id = ForeignKey(Integrations, null=False, index=True)
    spec_version = Text()
    content = Text()
    create_time = Timestamptz()


class ProviderApps(Table, tablename="provider_apps", db=ENGINE):
    """The builders' OAuth clients. ``details`` is the struct without ids and times."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    provider = Text()
    client_id = Text()
    client_secret = Bytea()
    details = Text()
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class Groups(Table, tablename="groups", db=ENGINE):
    """The builders' customers."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    group_ref = Text()
    group_name = Text()
    create_time = Timestamptz()


class Consumers(Table, tablename="consumers", db=ENGINE):
    """The persons who connected."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    consumer_ref = Text()
    consumer_name = Text()
    create_time = Timestamptz()


class Connections(Table, tablename="connections", db=ENGINE):
    """Groups' access to providers."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    provider = Text()
    group_id = ForeignKey(Groups, null=False, on_delete=OnDelete.restrict)
    consumer_id = ForeignKey(Consumers, null=False, on_delete=OnDelete.restrict)
    provider_app_id = ForeignKey(ProviderApps, null=True, default=None, on_delete=OnDelete.set_null)
    auth_scheme = Text()
    status = Text()
    credentials = Bytea()
    credential_version = Integer(default=1)
    provider_workspace_ref = Text(null=True, default=None)
    provider_consumer_ref = Text(null=True, default=None)
    provider_metadata = Text(null=True, default=None)
    keep_alive_at = Timestamptz(null=True, default=None)
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class ConnectSessions(Table, tablename="connect_sessions", db=ENGINE):
    """Customers on the way to a connection."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    stage = Text()
    key_digest = Bytea(unique=True)
    browser_digest = Bytea()
    details = Bytea()
    expire_time = Timestamptz(index=True)


class Installations(Table, tablename="installations", db=ENGINE):
    """Integrations switched on for groups; ``config_id`` is the latest config."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    integration_id = ForeignKey(Integrations, null=False)
    group_id = ForeignKey(Groups, null=False, on_delete=OnDelete.restrict)
    connection_id = ForeignKey(Connections, null=False, on_delete=OnDelete.restrict, index=True)
    config_id = Text()
    created_by = Text()
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class ConfigRevisions(Table, tablename="config_revisions", db=ENGINE):
    """Every config an installation ever had."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    installation_id = ForeignKey(Installations, null=False, index=True)
    revision_id = Text()
    created_by = Text()
    content = Text()
    create_time = Timestamptz()


class SchemaChecks(Table, tablename="schema_checks", db=ENGINE):
    """What was last found in each installation's account; the id is the installation's."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    installation_id = ForeignKey(Installations, null=False, index=True)
    config_id = Text()
    broken = Boolean()
    issues = Text()
    check_time = Timestamptz(index=True)
    broken_since = Timestamptz(null=True, default=None)
