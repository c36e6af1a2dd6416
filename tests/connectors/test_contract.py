"""What every connector of the catalogue keeps to, whatever its provider answers."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest

from connectors.catalog import CATALOG
from connectors.connector import BatchWriter, Connector, Deleter, Finder, Flow, Recogniser, Upserter, Writer
from installations.record import Action, Change, Outcome, RecordChange
from tests.connectors.contracted import BASE_URL, account_of, change_of, connectors, drive, reads, writes


def test_names_are_unique() -> None:
    names = [connector.provider.name for connector in CATALOG]
    assert len(set(names)) == len(names)


@connectors
def test_declared_support_matches_the_protocols(connector: Connector) -> None:
    support = connector.provider.support
    assert support.proxy, "calls are passed through to every provider"
    assert support.write == isinstance(connector, Writer)
    assert support.delete == isinstance(connector, Deleter)
    batches = support.batch_write
    declared = batches is not msgspec.UNSET and any(
        getattr(batches, kind) is not msgspec.UNSET and getattr(batches, kind).supported
        for kind in ("create", "update")
    )
    assert declared == isinstance(connector, BatchWriter)
    if batches is not msgspec.UNSET and batches.upsert is not msgspec.UNSET and batches.upsert.supported:
        assert isinstance(connector, Upserter)
    if isinstance(connector, BatchWriter):
        assert connector.batch_limit >= 1


@connectors
def test_every_placeholder_of_the_base_url_is_asked_for(connector: Connector) -> None:
    metadata = connector.provider.metadata
    names = set() if metadata is msgspec.UNSET else {field.name for field in metadata.input}
    url = connector.provider.base_url
    for name in names:
        url = url.replace("{{." + name + "}}", "acme")
    assert "{{" not in url
    assert httpx.URL(url).scheme in ("http", "https")
    assert not url.endswith("/")


@connectors
def test_requests_stay_below_the_account_and_carry_no_credential(connector: Connector) -> None:
    flows: Sequence[tuple[str, Callable[[], Flow[Any]]]] = [
        *((name, make) for name, _, make in writes(connector)),
        *reads(connector),
    ]
    assert flows
    for name, make in flows:
        requests, _ = drive(make(), httpx.Response(400, json={}))
        for request in requests:
            assert f"{request.url}/".startswith((f"{BASE_URL}/", f"{BASE_URL}?")), f"{name}: {request.url}"
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
            assert "accept-encoding" not in request.headers


@connectors
@pytest.mark.parametrize("hostile", ["../..", "..", "a/../../b", "a?b=c", "a#b", "a%2f..", "a\\..\\b", "\ud800", ""])
def test_a_hostile_id_or_object_does_not_climb(connector: Connector, hostile: str) -> None:
    account = account_of(connector)
    for action in ("create", "update", "delete"):
        for place in ("object", "id"):
            plain = change_of(connector, action)
            records = (RecordChange(fields=plain.records[0].fields, id=hostile),) if place == "id" else plain.records
            name = hostile if place == "object" else plain.object_name
            if place == "id" and action == "create":
                continue
            change = Change(action=action, object_name=name, records=records)
            flow: Flow[Outcome] | None = None
            if action == "delete" and isinstance(connector, Deleter):
                flow = connector.delete(account, change)
            elif action != "delete" and isinstance(connector, Writer):
                flow = connector.write(account, change)
            if flow is None:
                continue
            requests, _ = drive(flow, httpx.Response(400, json={}))
            neutral = change_of(connector, action)
            depth = _depth(connector, action, neutral)
            for request in requests:
                assert str(request.url).startswith(f"{BASE_URL}/")
                assert request.url.raw_path.count(b"/") == depth, request.url
                assert not request.url.fragment


def _depth(connector: Connector, action: Action, change: Change) -> int:
    account, flow = account_of(connector), None
    if action == "delete" and isinstance(connector, Deleter):
        flow = connector.delete(account, change)
    elif isinstance(connector, Writer):
        flow = connector.write(account, change)
    assert flow is not None
    requests, _ = drive(flow, httpx.Response(400, json={}))
    return requests[0].url.raw_path.count(b"/")


@connectors
def test_a_recogniser_s_word_can_be_kept(connector: Connector) -> None:
    """What really comes of a create that is sent twice is held in `test_recognition.py`."""
    if not isinstance(connector, Recogniser):
        return
    for object_name in ("contacts", "companies", "deals", "tickets", "unheard_of"):
        for fields in ({}, {"email": "a@b.co"}, {"name": None, "externalId": "e"}):
            told = connector.recognition(object_name, fields)
            if told is None:
                continue
            assert bool(told.field) == (told.kind != "key")
            assert told.kind != "unique" or fields.get(told.field) is not None, "there is a value to be unique by"
            assert told.kind != "marker" or (isinstance(connector, Finder) and fields.get(told.field) is None)
            assert told.window_seconds is None or (told.kind == "key" and told.window_seconds > 0)
