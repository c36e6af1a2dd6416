"""What an asynchronous write is answered, and which ones are refused, over HTTP and on every store."""

from typing import Any

import pytest

from tests.conftest import Published
from tests.journeys.customers import fits
from tests.server.api.shelved import Shelf
from tests.server.house import ON_EVERY_STORE, House

Json = dict[str, Any]
RECORD: Json = {"email": "a@b.co"}
AUTO: Json = {"autoBatchPolicy": {"maxDelayMinutes": 5}}
REFUSED: list[tuple[Json, tuple[str, ...]]] = [
    # beside groupRef; the beginnings of the sentences
    ({"record": RECORD, "retryPolicy": {"deadlineHours": 0}}, ("retryPolicy.deadlineHours: ",)),
    ({"record": RECORD, "retryPolicy": {"deadlineHours": 49}}, ("retryPolicy.deadlineHours: ",)),
    ({"record": RECORD, "retryPolicy": {"deadlineHours": "1"}}, ("retryPolicy.deadlineHours: ",)),
    ({"record": RECORD, "retryPolicy": 24}, ("retryPolicy: ",)),
    (
        {"record": RECORD, "retryPolicy": {"deadlinehours": 24, "tries": 3}},
        (
            "retryPolicy.deadlinehours: is not known here (did you mean deadlineHours?)",
            "retryPolicy.tries: is not known",
        ),
    ),
    ({"record": RECORD, "retrypolicy": {}}, ("retrypolicy: is not known here (did you mean retryPolicy?)",)),
    (
        {"record": RECORD, "groupref": "g2", "modes": "x", "onambiguous": "retry"},
        ("onambiguous: is not known here (did",),
    ),
    (
        {"batch": [{"record": RECORD}, {"recrd": RECORD}]},
        ("batch[1].record: is required", "batch[1].recrd: is not known here (did you mean record?)"),
    ),
    ({"record": RECORD, "autoBatchPolicy": {"maxDelayMinutes": 5, "max": 1}}, ("autoBatchPolicy.max: is not known",)),
    ({"batch": [{"record": RECORD}], "batchPolicy": {"allOrNothing": True}}, ("batchPolicy.allOrNothing: is not",)),
    ({"record": RECORD, "autoBatchPolicy": {}}, ("autoBatchPolicy.maxDelayMinutes: ",)),
    ({"record": RECORD, "autoBatchPolicy": {"maxDelayMinutes": 0}}, ("autoBatchPolicy.maxDelayMinutes: ",)),
    ({"record": RECORD, "autoBatchPolicy": {"maxDelayMinutes": 1441}}, ("autoBatchPolicy.maxDelayMinutes: ",)),
    (
        {"record": RECORD, "autoBatchPolicy": {"maxDelayMinutes": 1, "retryDeadlineHours": 49}},
        ("autoBatchPolicy.retryDeadlineHours: ",),
    ),
    ({"batch": [{"record": RECORD}], **AUTO}, ("autoBatchPolicy: Only single records",)),
    ({"record": RECORD, "mode": "synchronous", **AUTO}, ("autoBatchPolicy: Only asynchronous writes",)),
    ({"record": {"id": "1"}, "type": "delete", **AUTO}, ("autoBatchPolicy: Only creates and updates",)),
    (
        {"batch": [{"record": RECORD}], "type": "upsert", "mode": "synchronous", **AUTO},
        ("autoBatchPolicy: Only asynchronous", "autoBatchPolicy: Only single", "autoBatchPolicy: Only creates"),
    ),
    ({"record": RECORD, "onAmbiguous": "hope"}, ("onAmbiguous: ",)),
    ({"record": RECORD, "mode": "later"}, ("mode: ",)),
    ({"record": {"email": "x"}, "type": "update"}, ("record.id: ",)),
    ({"record": RECORD, "batch": []}, ("Give a record or a batch", "batch: ")),
]


@pytest.mark.parametrize(("members", "said"), REFUSED, ids=[words[0] for _, words in REFUSED])
async def test_what_cannot_be_meant_is_refused_in_sentences_and_not_stored(
    shelf: Shelf, published: Published, members: Json, said: tuple[str, ...]
) -> None:
    answer = await shelf.house.write("contacts", {"type": "create", "mode": "asynchronous", **members})
    assert answer.status_code == 400, answer.text
    fits(published, answer)
    lines = answer.text.splitlines()
    assert all(any(line.startswith(words) for line in lines) for words in said), lines
    assert (await shelf.get("/operations?state=in_progress"))["results"] == []
    path = "/integrations/crm/objects/contacts:explain"
    body = {"groupRef": "g1", "type": "create", "mode": "asynchronous", **members}
    assert (await shelf.house.call("POST", path, json=body)).status_code in {400, 422}


ACCEPTED: list[Json] = [
    {"type": "create", "record": RECORD},
    {"type": "create", "record": RECORD, "retryPolicy": {}},
    {"type": "create", "record": RECORD, "retryPolicy": {"deadlineHours": 48}, "onAmbiguous": "retry"},
    {"type": "create", "batch": [{"record": RECORD}, {"record": {"email": "c@d.co"}}]},
    {"type": "update", "record": {"id": "1", "email": "c@d.co"}},
    {"type": "upsert", "matchKey": "email", "record": RECORD},
    {"type": "create", "record": RECORD, **AUTO},
    {"type": "create", "record": RECORD, "later": 1, "recordId": "beside a record"},
    {"type": "create", "record": RECORD, **AUTO, "retryPolicy": {"deadlineHours": 48}},
    {"type": "update", "record": {"id": "1", "email": "c@d.co"}, **AUTO},
]


@ON_EVERY_STORE
async def test_what_is_accepted_is_answered_with_its_operation_alone_and_the_same_again(
    shelf: Shelf, published: Published
) -> None:
    for number, body in enumerate(ACCEPTED):
        asked = {"mode": "asynchronous", **body}
        answer = await shelf.house.write("contacts", asked, Idempotency_Key=f"k{number}")
        assert (answer.status_code, list(answer.json())) == (200, ["operationId"]), answer.text
        fits(published, answer)
        detailed = {"Idempotency_Key": f"k{number}", "X_Isthmus_Detail": "true"}
        again = await shelf.house.write("contacts", asked, **detailed)
        assert (again.status_code, again.content) == (200, answer.content)
        assert (answer.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
        other = await shelf.house.write("contacts", {**asked, "headers": []}, Idempotency_Key=f"k{number}")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        assert (await shelf.get(f"/operations/{answer.json()['operationId']}"))["status"] == "in_progress"


HOURS = [
    ({"record": RECORD}, 1.0),
    ({"record": RECORD, "retryPolicy": {"deadlineHours": 24}}, 24.0),
    ({"record": RECORD, **AUTO, "retryPolicy": {"deadlineHours": 24}}, 1 + 5 / 60),
    ({"record": RECORD, "autoBatchPolicy": {"maxDelayMinutes": 60, "retryDeadlineHours": 2}}, 3.0),
]


@pytest.mark.parametrize(("members", "hours"), HOURS)
async def test_how_long_it_is_tried_is_the_callers_choice(shelf: Shelf, members: Json, hours: float) -> None:
    answer = await shelf.house.write("contacts", {"type": "create", "mode": "asynchronous", **members})
    operation = await shelf.house.services.store.operation(shelf.house.project_id, answer.json()["operationId"])
    assert (operation.deadline_at - operation.create_time).total_seconds() == pytest.approx(hours * 3600)


async def test_explaining_a_write_does_not_depend_on_its_mode(shelf: Shelf) -> None:
    path, body = "/integrations/crm/objects/contacts:explain", {"groupRef": "g1", "type": "create", "record": RECORD}
    synchronous = await shelf.post(path, body)
    assert await shelf.post(path, {**body, "mode": "asynchronous", **AUTO}) == synchronous
    assert (await shelf.get("/operations?state=in_progress"))["results"] == []


async def test_a_policy_means_nothing_for_a_synchronous_write(house: House) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    answer = await house.write("contacts", {"type": "create", "record": RECORD, "retryPolicy": {"deadlineHours": 48}})
    assert (answer.status_code, answer.json()["result"]["success"]) == (200, True)
