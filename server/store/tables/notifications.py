"""The tables of what builders are told, and where."""

from piccolo.columns import BigInt, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.table import Table

from server.store.engine import ENGINE
from server.store.tables.tenants import Projects


class Events(Table, tablename="events", db=ENGINE):
    """The outbox: what the builders are told of."""

    id = Text(primary_key=True)
    project_id = ForeignKey(Projects, null=False)
    type = Text()
    data = Bytea()
    create_time = Timestamptz(index=True)
    sequence = BigInt(default=0)


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
