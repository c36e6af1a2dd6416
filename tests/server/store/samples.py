"""The things the store's tests keep. Ids end with the project's number: ``i1`` is of ``p1``."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from installations.config import ConfigContent
from installations.errors import Issue
from installations.installation import ApiKey, Config, JwtKey, MetadataValue, Project, ProviderApp
from installations.manifest import IntegrationSpec
from installations.operation import Attempt, Operation
from server.store.contract import (
    ConnectSession,
    Destination,
    DestinationRoute,
    Event,
    EventRoute,
    IdempotencyKey,
    NewConnection,
    NewInstallation,
    SchemaCheck,
    Settlement,
    Store,
    Topic,
    Upload,
)

MASTER_KEY = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OTHER_MASTER_KEY = "k2:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECRET = b'{"token":"hunter2-SECRET"}'


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def project(number: int = 1, **changes: Any) -> Project:
    made = Project(id=f"p{number}", name=f"Project {number}", app_name="App", org_id="o", create_time=later(number))
    return replace(made, **changes)


def api_key(number: int = 1, **changes: Any) -> ApiKey:
    made = ApiKey(
        id=f"k{number}",
        project_id=f"p{number}",
        label="first",
        prefix="ist_abc",
        digest=hashlib.sha256(f"key {number}".encode()).digest(),
        scopes=("read", "write"),
        active=True,
        create_time=later(number),
    )
    return replace(made, **changes)


def jwt_key(number: int = 1, **changes: Any) -> JwtKey:
    made = JwtKey(
        id=f"j{number}",
        project_id=f"p{number}",
        label="first",
        public_key_pem="-----BEGIN PUBLIC KEY-----",
        active=True,
        create_time=later(number),
        update_time=later(number),
    )
    return replace(made, **changes)


def session_key(number: int = 1, **changes: Any) -> JwtKey:
    """A key whose private half is kept too."""
    return jwt_key(number, **{"id": f"g{number}", "label": "our own", "create_time": later(number + 3), **changes})


def connect_session(number: int = 1, **changes: Any) -> ConnectSession:
    made = ConnectSession(
        id=f"s{number}",
        project_id=f"p{number}",
        stage="made",
        key_digest=hashlib.sha256(f"ticket {number}".encode()).digest(),
        details=b'{"verifier":"SECRET"}',
        expire_time=later(600),
    )
    return replace(made, **changes)


def event(name: str = "e1", *, number: int = 1, **changes: Any) -> Event:
    made = Event(id=name, project_id=f"p{number}", type="connection.updated", data=b"{}", create_time=NOW)
    return replace(made, **changes)


def destination(number: int = 1, **changes: Any) -> Destination:
    made = Destination(
        id=f"d{number}",
        project_id=f"p{number}",
        name="hook",
        url="https://hooks.example.test/SECRET",
        headers={"Authorization": "Bearer SECRET"},
        create_time=later(number),
    )
    return replace(made, **changes)


def topic(number: int = 1, **changes: Any) -> Topic:
    return replace(Topic(id=f"t{number}", name="news", project_id=f"p{number}", create_time=later(number)), **changes)


def event_route(number: int = 1, **changes: Any) -> EventRoute:
    made = EventRoute(
        id=f"e{number}",
        event_type="connection.updated",
        topic_id=f"t{number}",
        project_id=f"p{number}",
        create_time=later(number),
    )
    return replace(made, **changes)


def destination_route(number: int = 1, **changes: Any) -> DestinationRoute:
    made = DestinationRoute(
        id=f"y{number}",
        topic_id=f"t{number}",
        destination_id=f"d{number}",
        project_id=f"p{number}",
        create_time=later(number),
    )
    return replace(made, **changes)


def spec(name: str = "crm", provider: str = "hubspot", **changes: Any) -> IntegrationSpec:
    return replace(IntegrationSpec(name=name, provider=provider), **changes)


def provider_app(number: int = 1, **changes: Any) -> ProviderApp:
    made = ProviderApp(
        id=f"a{number}",
        project_id=f"p{number}",
        provider="hubspot",
        client_id="client",
        create_time=later(number),
        scopes=("a", "b"),
        metadata={"x": {"y": 1}},
    )
    return replace(made, **changes)


def connection(number: int = 1, **changes: Any) -> NewConnection:
    made = NewConnection(
        id=f"c{number}",
        project_id=f"p{number}",
        provider="hubspot",
        group_ref="acme",
        consumer_ref="jo",
        auth_scheme="apiKey",
        status="working",
        now=later(number),
        credentials=SECRET,
        provider_metadata={"workspace": MetadataValue(value="acme-eu")},
    )
    return replace(made, **changes)


def config(name: str = "v1", *, number: int = 1, **changes: Any) -> Config:
    made = Config(
        id=name,
        revision_id=f"r{number}",
        create_time=later(number),
        created_by="api:tester",
        content=ConfigContent(provider="hubspot"),
    )
    return replace(made, **changes)


def installation(number: int = 1, **changes: Any) -> NewInstallation:
    made = NewInstallation(
        id=f"n{number}",
        project_id=f"p{number}",
        integration_id=f"i{number}",
        connection_id=f"c{number}",
        group_ref="acme",
        created_by="api:tester",
        config=config(f"v{number}", number=number),
        now=later(number),
    )
    return replace(made, **changes)


def operation(name: str = "o1", *, number: int = 1, **changes: Any) -> Operation:
    made = Operation(
        id=name,
        project_id=f"p{number}",
        integration_id=f"i{number}",
        installation_id=f"n{number}",
        config_id=f"v{number}",
        group_ref="acme",
        object_name="contact",
        action="create",
        mode="synchronous",
        state="sent",
        payload=b'{"fields":{"email":"SECRET@example.test"}}',
        owner="me",
        run_at=NOW,
        deadline_at=later(3600),
        create_time=NOW,
        update_time=NOW,
    )
    return replace(made, **changes)


def unplaced(found: Operation) -> Operation:
    """Take away what the store alone decides."""
    return replace(found, sequence=0)


def attempt(name: str = "o1", number: int = 1) -> Attempt:
    return Attempt(
        operation_id=name,
        number=number,
        started_at=NOW,
        finished_at=later(0.25),
        effect="rejected",
        status=422,
        fault_kind="invalid",
        message="no such field",
    )


def settlement(name: str = "o1", **changes: Any) -> Settlement:
    made = Settlement(
        operation_id=name,
        project_id="p1",
        from_state="sent",
        owner="me",
        to_state="success",
        now=later(1),
        outcome=b'{"records":["SECRET"]}',
        summary="1 record created",
        successful_record_ids=("501",),
    )
    return replace(made, **changes)


def idempotency(key: str = "once", **changes: Any) -> IdempotencyKey:
    made = IdempotencyKey(key=key, route="/objects/contact", fingerprint=b"f" * 32, expire_time=later(86_400))
    return replace(made, **changes)


def upload(number: int = 1, **changes: Any) -> Upload:
    return replace(Upload(id=f"u{number}", project_id=f"p{number}", md5="", expire_time=later(600)), **changes)


def schema_check(number: int = 1, **changes: Any) -> SchemaCheck:
    made = SchemaCheck(
        project_id=f"p{number}",
        installation_id=f"n{number}",
        config_id=f"v{number}",
        broken=True,
        issues=(Issue(path="config.content", message="It is gone.", code="unknown-field", value="x"),),
        check_time=later(number),
        broken_since=later(number),
    )
    return replace(made, **changes)


async def keep(store: Store, check: SchemaCheck) -> None:
    """Keep a finding as it is, and tell nobody."""
    await store.keep_schema_check(check.project_id, check.installation_id, lambda _: (check, None))


async def populated(store: Store) -> None:
    for number in (1, 2):
        await store.create_project(project(number), key=api_key(number))
        ids = [f"i{number}", f"r{number}"]
        await store.deploy(f"p{number}", [spec()], spec_version="1.0.0", now=later(number), ids=ids)
        await store.create_provider_app(provider_app(number), client_secret=SECRET)
        await store.create_connection(connection(number, provider_app_id=f"a{number}"))
        await store.create_installation(installation(number))
        await keep(store, schema_check(number))
        await store.begin(operation(f"o{number}", number=number))
        await store.add_jwt_key(jwt_key(number))
        await store.keep_session_key(session_key(number), private_key=SECRET)
        await store.create_connect_session(connect_session(number))
        await store.create_destination(destination(number), signing_keys=SECRET)
        await store.create_topic(topic(number))
        await store.create_event_route(event_route(number))
        await store.create_destination_route(destination_route(number))
        await store.create_upload(upload(number))
        await store.fill_upload(f"u{number}", b"PK", now=NOW)
