"""The tables of tenants: projects, their keys, and what seals their secrets."""

from piccolo.columns import Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.table import Table

from server.store.engine import ENGINE


class Projects(Table, tablename="projects", db=ENGINE):
    """Tenants."""

    id = Text(primary_key=True)
    name = Text(unique=True)
    app_name = Text()
    org_id = Text()
    access_policy = Text(null=True, default=None)
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class ApiKeys(Table, tablename="api_keys", db=ENGINE):
    """API keys: digests, never the keys."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False, index=True)
    label = Text()
    prefix = Text()
    digest = Bytea(unique=True)
    scopes = Text()
    active = Boolean()
    create_time = Timestamptz()


class JwtKeys(Table, tablename="jwt_keys", db=ENGINE):
    """Public keys, which verify browsers' tokens. The id is the ``kid``."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False, index=True)
    label = Text()
    public_key_pem = Text()
    active = Boolean()
    create_time = Timestamptz()
    update_time = Timestamptz()
    private_key = Bytea(null=True, default=None)
    """Sealed, of keys with which the server itself signs; the builders keep their own."""


class MasterKeyChecks(Table, tablename="master_key_checks", db=ENGINE):
    """For each master key that was ever used, a sealed constant that only this key opens."""

    id = Text(primary_key=True)
    check_value = Bytea()


class DataKeys(Table, tablename="data_keys", db=ENGINE):
    """Each project's own encryption keys, wrapped by a master key. That of the highest generation seals."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False, index=True)
    master_key_id = Text()
    wrapped = Bytea()
    generation = Integer(default=0)
    retired = Boolean(default=False)
    create_time = Timestamptz()
