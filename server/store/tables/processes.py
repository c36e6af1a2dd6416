"""The tables of processes that share the database, and of what is on its way through."""

from piccolo.columns import BigInt, Bytea, ForeignKey, Text, Timestamptz
from piccolo.table import Table

from server.store.engine import ENGINE
from server.store.tables.tenants import Projects


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
