"""What a call asks for, as its headers say it."""

import pytest

from installations.errors import InvalidInput
from server.proxying.calls import Call, Place, parse_call

BY_NAME = {"x-amp-project-id": "p", "x-amp-integration-name": "crm", "x-amp-group-ref": "g"}
BY_ID = {"x-amp-project-id": "p", "x-amp-installation-id": "i"}


def parsed(headers: dict[str, str | bytes]) -> Call:
    raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()]
    return parse_call(raw, method="GET", path=b"/a", query=b"")


PLACES = [
    (BY_NAME, Place(project_id="p", integration="crm", group_ref="g")),
    (BY_ID, Place(project_id="p", installation_id="i")),
    ({**BY_NAME, **BY_ID}, Place(project_id="p", installation_id="i")),
    ({**BY_NAME, "x-amp-installation-id": ""}, Place(project_id="p", integration="crm", group_ref="g")),
    ({**BY_NAME, "x-amp-proxy-version": "1"}, Place(project_id="p", integration="crm", group_ref="g")),
    (
        {**BY_NAME, "x-amp-group-ref": "gr\u00fc\u00dfe"},
        Place(project_id="p", integration="crm", group_ref="gr\u00fc\u00dfe"),
    ),
    (
        {**BY_NAME, "x-amp-group-ref": b"gr\xfc\xdfe"},
        Place(project_id="p", integration="crm", group_ref="gr\u00fc\u00dfe"),
    ),
]


@pytest.mark.parametrize(("headers", "place"), PLACES)
def test_a_place_is_named_by_an_id_or_by_what_was_installed_for_whom(
    headers: dict[str, str | bytes], place: Place
) -> None:
    assert parsed(headers).place == place


WRONG = [
    ({}, ["x-amp-project-id", "x-amp-integration-name", "x-amp-group-ref"]),
    ({"x-amp-project-id": "p"}, ["x-amp-integration-name", "x-amp-group-ref"]),
    ({**BY_NAME, "x-amp-group-ref": " "}, ["x-amp-group-ref"]),
    ({"x-amp-installation-id": "i"}, ["x-amp-project-id"]),
    ({**BY_ID, "x-amp-proxy-version": "2"}, ["x-amp-proxy-version"]),
    ({**BY_ID, "x-amp-proxy-version": ""}, ["x-amp-proxy-version"]),
]


@pytest.mark.parametrize(("headers", "names"), WRONG)
def test_every_header_that_is_missing_or_wrong_is_named(headers: dict[str, str | bytes], names: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(headers)
    assert [issue.path for issue in caught.value.issues] == [f"header.{name}" for name in names]


def test_a_header_that_comes_twice_means_nothing() -> None:
    pairs = [(name.encode(), value.encode()) for name, value in BY_ID.items()]
    with pytest.raises(InvalidInput, match="once"):
        parse_call([*pairs, (b"x-amp-installation-id", b"j")], method="GET", path=b"/", query=b"")


@pytest.mark.parametrize(("mode", "throttled"), [("throttle", True), ("Throttle", True), ("none", False), ("", False)])
def test_throttling_is_asked_for(mode: str, *, throttled: bool) -> None:
    assert parsed({**BY_ID, "x-amp-rate-limiter-mode": mode}).throttled is throttled
