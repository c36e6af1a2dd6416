"""The tables of writes: operations, their tries, lanes and turns, and the keys that callers give them."""

from piccolo.columns import BigInt, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.table import Table

from server.store.engine import ENGINE
from server.store.tables.tenants import Projects


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
    lone_crashes = Integer(default=0)
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
