"""Events reach the receivers they are routed to, whatever those do (D16 of the fault catalogue)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from server.notifying.schedule import WAITS
from server.settings import Settings
from server.store.contract import DeliveryFilter, EventRoute, Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.notifying.offices import Office, office
from tests.server.notifying.receivers import Receiver, receiving
from tests.server.store.samples import MASTER_KEY, event_route

SECOND = timedelta(seconds=1)


@pytest.fixture
async def desk() -> AsyncIterator[Office]:
    async with office(MemoryStore()) as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def test_an_event_arrives_signed_and_in_the_published_shape(desk: Office, receiver: Receiver) -> None:
    key = await desk.send_to(receiver.url, Authorization="Bearer 1234")
    await desk.tell()
    await desk.work()
    (got,) = receiver.received
    assert Webhook(key).verify(got.body, got.headers) == {
        "notificationType": "connection.updated",
        "data": {"connectionId": "c1"},
    }
    assert (got.message_id, got.headers["authorization"]) == ("event-00000", "Bearer 1234")
    assert (got.headers["content-type"], got.headers["svix-id"]) == ("application/json", "event-00000")
    assert await desk.states() == ["delivered"]


async def test_a_receiver_that_was_down_for_30_hours_lacks_nothing_after_a_replay(
    desk: Office, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    key = await desk.send_to(receiver.url)
    ids = await desk.tell(3)
    await desk.work()
    attempts = 1
    for wait in WAITS:
        desk.pass_time(wait - SECOND)
        await desk.work()
        assert len(receiver.received) == 3 * attempts
        desk.pass_time(SECOND)
        await desk.work()
        attempts += 1
        assert len(receiver.received) == 3 * attempts
    assert {one.message_id for one in receiver.received} == set(ids)
    assert await desk.states() == ["failed"] * 3
    desk.pass_time(timedelta(hours=3))
    late = await desk.tell()
    receiver.answer = lambda _: 200
    receiver.received.clear()
    await desk.work()
    assert [one.message_id for one in receiver.received] == late
    failed = DeliveryFilter(states=("failed",))
    assert await desk.store.replay_deliveries("p1", "d1", failed, now=desk.now, dry_run=False) == 3
    await desk.work()
    assert sorted(one.message_id for one in receiver.received[1:]) == ids
    assert await desk.states() == ["delivered"] * 4
    assert (await desk.store.destination("p1", "d1")).failing_since is None
    # Signed anew, for the moment at which it is sent.
    timestamps = {int(one.headers["webhook-timestamp"]) for one in receiver.received}
    assert max(timestamps) == int(desk.now.timestamp())
    assert key.startswith("whsec_")


async def test_one_that_is_gone_is_disabled_at_once_and_others_hear_of_it(desk: Office, receiver: Receiver) -> None:
    async with receiving() as other:
        receiver.answer = lambda _: 410
        await desk.send_to(receiver.url)
        await desk.tell()
        await desk.work()
        await desk.store.delete_event_route("p1", "e1")
        await desk.store.create_event_route(_disabled_route())
        await desk.send_to(other.url, "d2")
        await desk.work()
        (told,) = other.received
        assert told.notification == {
            "notificationType": "destination.webhook.disabled",
            "data": {"projectId": "p1", "destinationId": "d1", "destinationName": "d1", "url": receiver.url},
        }
        assert len(receiver.received) == 1
        assert sorted(await desk.states()) == ["failed", "skipped"]


async def test_one_that_fails_for_five_days_is_disabled_and_can_be_enabled_again(
    desk: Office, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    await desk.send_to(receiver.url)
    started = desk.now
    for _ in range(200):
        await desk.tell()
        await desk.work()
        if (await desk.store.destination("p1", "d1")).disabled:
            break
        desk.pass_time(timedelta(hours=2))
    assert timedelta(days=5) <= desk.now - started <= timedelta(days=5, hours=4)
    assert (await desk.store.destination("p1", "d1")).disabled == "failing"
    before = len(receiver.received)
    await desk.tell()
    desk.pass_time(timedelta(days=1))
    await desk.work()
    assert len(receiver.received) == before
    assert set(await desk.states()) == {"failed", "skipped"}
    receiver.answer = lambda _: 200
    await desk.store.update_destination("p1", "d1", now=desk.now, enabled=True)
    await desk.store.replay_deliveries("p1", "d1", DeliveryFilter(), now=desk.now, dry_run=False)
    await desk.work()
    assert set(await desk.states()) == {"delivered"}


async def test_redirects_are_not_followed(desk: Office, receiver: Receiver) -> None:
    async with receiving() as other:
        receiver.answer = lambda _: f"HTTP/1.1 302 X\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()
        await desk.send_to(receiver.url)
        await desk.tell()
        await desk.work()
        (one,) = await desk.deliveries()
        assert (one.state, one.status) == ("pending", 302)
        assert "redirects are not followed" in one.error
        assert other.received == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/hook", "could not be sent"),
        ("http://169.254.169.254/latest/meta-data", "not public"),
        ("http://10.0.0.1/hook", "not public"),
        ("http://nowhere.invalid/hook", "could not be sent"),
    ],
)
async def test_what_cannot_or_may_not_be_reached_is_tried_again_and_says_why(desk: Office, url: str, said: str) -> None:
    await desk.send_to(url)
    await desk.tell()
    await desk.work()
    (one,) = await desk.deliveries()
    assert (one.state, one.status, said in one.error) == ("pending", None, True), one.error


async def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(desk: Office, tmp_path: Path) -> None:
    async with receiving(ssl=_self_signed(tmp_path)) as receiver:
        await desk.send_to(receiver.url)
        await desk.tell()
        await desk.work()
        (one,) = await desk.deliveries()
        assert (one.state, one.status, receiver.received) == ("pending", None, [])
        assert "could not be sent" in one.error


async def test_a_slow_receiver_is_given_up_in_time(receiver: Receiver) -> None:
    async with office(MemoryStore(), answer_seconds=0.3) as desk:
        receiver.delays = lambda _: 600.0
        await desk.send_to(receiver.url)
        await desk.tell(16)
        await asyncio.wait_for(desk.work(), 60)
        (error,) = {one.error for one in await desk.deliveries()}
        assert "no answer" in error


async def test_a_slow_receiver_holds_up_nobody_else(receiver: Receiver) -> None:
    async with office(MemoryStore(), answer_seconds=600) as desk, receiving() as quick:
        gate = asyncio.Event()
        receiver.held = gate
        await desk.send_to(receiver.url, "d1")
        await desk.send_to(quick.url, "d2")
        await desk.tell(16)
        working = asyncio.create_task(desk.work())
        await quick.until(16)
        assert len(receiver.received) <= 8
        gate.set()
        await working
        assert set(await desk.states("d2")) == {"delivered"}


async def test_only_a_few_are_on_their_way_to_one_receiver_together(desk: Office, receiver: Receiver) -> None:
    under_way, most = 0, 0

    def counted(_: object) -> float:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        asyncio.get_running_loop().call_later(0.005, leave)
        return 0.005

    def leave() -> None:
        nonlocal under_way
        under_way -= 1

    receiver.delays = counted
    await desk.send_to(receiver.url)
    await desk.tell(60)
    await desk.work()
    assert await desk.states() == ["delivered"] * 60
    assert 2 <= most <= 8


async def test_a_new_url_is_sent_to_with_the_next_attempt(desk: Office, receiver: Receiver) -> None:
    await desk.send_to("http://127.0.0.1:1/hook")
    await desk.tell()
    await desk.work()
    await desk.store.update_destination("p1", "d1", now=desk.now, url=receiver.url)
    desk.pass_time(5 * SECOND)
    await desk.work()
    assert await desk.states() == ["delivered"]


async def test_a_destination_that_goes_takes_its_messages_along(desk: Office) -> None:
    await desk.send_to("http://127.0.0.1:1/hook")
    await desk.tell()
    await desk.work()
    await desk.store.delete_destination("p1", "d1")
    desk.pass_time(5 * SECOND)
    await desk.work()
    assert await desk.deliveries() == []


async def test_what_is_on_its_way_when_the_process_stops_is_sent_by_the_next(receiver: Receiver) -> None:
    store = MemoryStore()
    async with office(store) as desk:
        receiver.delays = lambda _: 30.0
        await desk.send_to(receiver.url)
        await desk.tell()
        running = asyncio.create_task(desk.notifier.run())
        await receiver.until(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        (one,) = await desk.deliveries()
        assert (one.state, one.owner) == ("pending", "")
        assert one.run_at <= desk.now
    async with office(store, furnish=False, owner="next") as desk:
        receiver.delays = lambda _: 0.0
        await desk.work()
        assert await desk.states() == ["delivered"]
        assert [one.message_id for one in receiver.received] == ["event-00000"] * 2


@pytest.mark.parametrize("kind", ["sqlite_url", "migrated_postgres_url"])
async def test_several_processes_share_the_work_without_sending_twice(
    kind: str, request: pytest.FixtureRequest, receiver: Receiver
) -> None:
    store = await _opened(str(request.getfixturevalue(kind)))
    try:
        async with office(store) as first, office(store, furnish=False, owner="other") as second:
            await first.send_to(receiver.url)
            ids = await first.tell(60)
            await asyncio.gather(first.work(), second.work())
            assert sorted(one.message_id for one in receiver.received) == ids
            assert await first.states() == ["delivered"] * 60
    finally:
        await store.close()


async def _opened(url: str) -> Store:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    return store


def _disabled_route() -> EventRoute:
    return event_route(id="e9", event_type="destination.webhook.disabled")


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context
