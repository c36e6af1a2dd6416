"""The tables: what is kept, under which name and type, on both databases.

Ids are text. Times are UTC with microseconds. Structs are JSON text written by msgspec; what must not be read from a
dump is bytes sealed by the vault. Every tenant's row names its project; uniqueness within a project is a unique index
(``migrations/``), because SQLite cannot add a constraint to a table that exists.
"""

from piccolo.columns import BigInt, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
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
    """Public keys of the builders, which verify browsers' tokens. The id is the ``kid``."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False, index=True)
    label = Text()
    public_key_pem = Text()
    active = Boolean()
    create_time = Timestamptz()
    update_time = Timestamptz()


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


class Events(Table, tablename="events", db=ENGINE):
    """The outbox: what the builders are told of."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    type = Text()
    data = Bytea()
    create_time = Timestamptz(index=True)
    sequence = BigInt(default=0)


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


class Operations(Table, tablename="operations", db=ENGINE):
    """Writes. They point at nothing but their project, for they outlive what they were made from.

    ``behind`` says that an earlier operation has its turn (`Turns`) at a record that this one changes, too.
    """

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    integration_id = Text()
    installation_id = Text()
    config_id = Text()
    group_ref = Text()
    object_name = Text()
    action = Text()
    mode = Text()
    state = Text()
    payload = Bytea()
    outcome = Bytea()
    summary = Text()
    fault_kind = Text(null=True, default=None)
    successful_record_ids = Text()
    attempts = Integer()
    owner = Text()
    record_key = Text()
    run_at = Timestamptz()
    deadline_at = Timestamptz()
    create_time = Timestamptz()
    update_time = Timestamptz()
    reason = Text(default="")
    crashes = Integer(default=0)
    connection_id = Text(default="")
    batch_key = Text(default="")
    gather_key = Text(default="")
    gathered = Integer(default=0)
    repeat = Text(default="bare")
    on_ambiguous = Text(default="park")
    doubtful = Boolean(default=False)
    first_sent_at = Timestamptz(null=True, default=None)
    look_at = Timestamptz(null=True, default=None)
    looks = Integer(default=0)
    replay_of = Text(default="")
    replayed_by = Text(default="")
    sequence = BigInt(default=0)
    behind = Boolean(default=False)


class Attempts(Table, tablename="attempts", db=ENGINE):
    """Tries at the provider; with the operation they are also its log."""

    id = Text(primary_key=True)
    project_id = Text()
    operation_id = ForeignKey(Operations, null=False, index=True)
    number = Integer()
    started_at = Timestamptz()
    finished_at = Timestamptz()
    effect = Text()
    status = Integer(null=True, default=None)
    fault_kind = Text(null=True, default=None)
    message = Text()


class GatheredRecords(Table, tablename="gathered_records", db=ENGINE):
    """What auto-batches hold. The id is that of the operation that the record came with."""

    id = Text(primary_key=True)
    project_id = Text()
    operation_id = ForeignKey(Operations, null=False, index=True)
    place = Integer()
    content = Bytea()


class Turns(Table, tablename="turns", db=ENGINE):
    """Which unfinished operations change a record, by the record's name; ``sequence`` is the operation's."""

    id = Text(primary_key=True)
    operation_id = ForeignKey(Operations, null=False, index=True)
    name = Text()
    sequence = BigInt()


class Lanes(Table, tablename="lanes", db=ENGINE):
    """Connections with operations. The id is the connection's; who attends to one has no row of their own to point at.

    ``attended_at`` is milliseconds of the database's own clock: when the owner took it.
    """

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    owner = Text()
    attended_at = BigInt()
    wake_at = Timestamptz(null=True, default=None)
    hold_until = Timestamptz(null=True, default=None)
    failures = Integer()
    parked = Boolean()


class IdempotencyKeys(Table, tablename="idempotency_keys", db=ENGINE):
    """Callers' keys. The id is the SHA-256 of project, route and key."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    operation_id = Text()
    fingerprint = Bytea()
    expire_time = Timestamptz(index=True)


class Destinations(Table, tablename="destinations", db=ENGINE):
    """Webhooks. ``address`` is the URL with the headers; it and the signing keys are sealed."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    name = Text()
    address = Bytea()
    signing_keys = Bytea()
    disabled = Text()
    failing_since = Timestamptz(null=True, default=None)
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class Topics(Table, tablename="topics", db=ENGINE):
    """What joins events to destinations."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    name = Text()
    create_time = Timestamptz()
    update_time = Timestamptz(null=True, default=None)


class EventRoutes(Table, tablename="event_routes", db=ENGINE):
    """Types of events that go to topics."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    event_type = Text()
    topic_id = ForeignKey(Topics, null=False, index=True)
    create_time = Timestamptz()


class DestinationRoutes(Table, tablename="destination_routes", db=ENGINE):
    """Topics that go to destinations."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    topic_id = ForeignKey(Topics, null=False)
    destination_id = ForeignKey(Destinations, null=False, index=True)
    create_time = Timestamptz()


class Deliveries(Table, tablename="deliveries", db=ENGINE):
    """Events on their way to destinations. They keep the event's data, for they may outlive it."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    destination_id = ForeignKey(Destinations, null=False)
    event_id = Text()
    event_type = Text()
    data = Bytea()
    state = Text()
    attempts = Integer()
    run_at = Timestamptz()
    owner = Text()
    status = Integer(null=True, default=None)
    error = Text()
    create_time = Timestamptz()
    update_time = Timestamptz()


class Uploads(Table, tablename="uploads", db=ENGINE):
    """Archives on their way to a deployment."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    md5 = Text()
    content = Bytea(null=True, default=None)
    expire_time = Timestamptz(index=True)


class Processes(Table, tablename="processes", db=ENGINE):
    """Which processes live. ``seen_at`` is seconds of the database's own clock; ``master_keys`` are ids, never keys."""

    id = Text(primary_key=True)
    kind = Text()
    master_keys = Text()
    seen_at = BigInt()


class Leases(Table, tablename="leases", db=ENGINE):
    """Who alone may do something. ``over_at`` is milliseconds of the database's own clock."""

    id = Text(primary_key=True)
    owner = Text()
    over_at = BigInt()


class Counters(Table, tablename="counters", db=ENGINE):
    """``config`` grows with every change of configuration, ``ready`` with every proof that writes work.

    ``keys`` is the generation of the newest data keys, ``events:{project}`` the place of a project's last event, and
    ``fanned:{project}`` that of the last one whose deliveries are stored.
    """

    id = Text(primary_key=True)
    value = BigInt()


TABLES: tuple[type[Table], ...] = (
    Projects,
    ApiKeys,
    JwtKeys,
    MasterKeyChecks,
    DataKeys,
    Integrations,
    Revisions,
    ProviderApps,
    Groups,
    Consumers,
    Connections,
    ConnectSessions,
    Events,
    Installations,
    ConfigRevisions,
    Operations,
    Attempts,
    GatheredRecords,
    Turns,
    Lanes,
    IdempotencyKeys,
    Destinations,
    Topics,
    EventRoutes,
    DestinationRoutes,
    Deliveries,
    Uploads,
    Processes,
    Leases,
    Counters,
)
