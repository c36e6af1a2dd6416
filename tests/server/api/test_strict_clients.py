"""What generated clients demand of every answer: published shapes, no nulls, times with zones, exact media types.

Such a client does not fail on an answer that misses its schema: it hands out an empty problem.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from server.clock import new_id
from tests.canaries import canary
from tests.conftest import Published
from tests.server.house import READ_AND_WRITE, House

ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
PROVIDERS_OWN = {"data", "value"}
"""Members that are somebody else's words."""


def oddities(value: Any, path: str = "$") -> Iterator[str]:
    """List the nulls and the times without a zone."""
    if value is None:
        yield f"{path} is null"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from oddities(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in PROVIDERS_OWN:
                yield from oddities(each, f"{path}.{name}")
    elif path.endswith(("Time", ".time", "timestamp", "lastAttempt", "retryAfter")) and not ZONED.fullmatch(value):
        yield f"{path} is {value}"


async def furnish(house: House) -> dict[str, str]:
    await house.deploy()
    connection = await house.connect(providerMetadata={"a": {"value": "b", "source": "input"}})
    installation = await house.install()
    app = {"provider": "hubspot", "clientId": "id", "clientSecret": canary()}
    assert (await house.call("POST", "/provider-apps", json=app)).status_code == 200
    done = await house.write("contacts", {"type": "create", "record": {"email": "a@b.co"}})
    failed = await house.write("contacts", {"type": "create", "record": {"email": "nobody"}})
    assert (done.status_code, failed.status_code) == (200, 422)
    return {
        "revision": installation["config"]["revisionId"],
        "installation": installation["id"],
        "connection": connection["id"],
        "done": done.json()["operationId"],
        "failed": failed.json()["operationId"],
    }


ANSWERS = [
    ("?includeEntitlements=true", "Project"),
    ("/integrations", ["Integration"]),
    ("/integrations/crm", "Integration"),
    ("/integrations/crm/revisions/{revision}:hydrate?connectionId={connection}", "HydratedRevision"),
    ("/integrations/crm/installations", ["Installation"]),
    ("/integrations/crm/installations/{installation}", "Installation"),
    ("/installations?groupRef=g1", ["Installation"]),
    ("/connections", ["Connection"]),
    ("/connections/{connection}?includeCreds=true", "Connection"),
    ("/provider-apps", ["ProviderApp"]),
    ("/integrations/crm/objects/contacts/metadata?groupRef=g1", "ObjectMetadata"),
    ("/providers/sandbox/objects/companies/metadata?groupRef=g1", "ObjectMetadata"),
    ("/operations/{done}", "Operation"),
    ("/operations/{failed}", "Operation"),
    ("/operations/{done}/logs", ["Log"]),
    ("/operations/{failed}/logs", ["Log"]),
]


@pytest.mark.parametrize(("path", "schema"), ANSWERS, ids=[path for path, _ in ANSWERS])
async def test_an_answer_fits(house: House, published: Published, path: str, schema: str | list[str]) -> None:
    answer = await house.call("GET", path.format(**await furnish(house)))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    many = isinstance(schema, list)
    values, name = (answer.json(), schema[0]) if many else ([answer.json()], schema)
    assert values
    for value in values:
        assert published.errors("api.bundled", str(name), value) == []
        assert list(oddities(value)) == []


async def test_operations_come_in_pages(house: House, published: Published) -> None:
    path = f"/integrations/crm/installations/{(await furnish(house))['installation']}/operations"
    first = (await house.call("GET", f"{path}?pageSize=1")).json()
    token = first["pagination"]["nextPageToken"]
    last = (await house.call("GET", f"{path}?pageSize=1&pageToken={token}")).json()
    for page in (first, last):
        assert [published.errors("api.bundled", "Operation", operation) for operation in page["results"]] == [[]]
        assert list(oddities(page)) == []
    assert (first["pagination"]["done"], last["pagination"]) == (False, {"done": True})
    assert [page["results"][0]["status"] for page in (first, last)] == ["failure", "success"]


async def test_every_provider_fits_both_published_catalogs(house: House, published: Published) -> None:
    catalog = (await house.client.get("/v1/providers")).json()
    assert list(catalog) == ["sandbox", "hubspot", "salesforce"]
    for name, provider in catalog.items():
        assert provider["name"] == name
        assert list(oddities(provider)) == []
        for document in ("api.bundled", "catalog"):
            assert published.errors(document, "ProviderInfo", provider) == []
        assert (await house.client.get(f"/v1/providers/{name}")).json() == provider


MASK = {"updateMask": ["nonsense"], "installation": {}}
INSTALL = {"groupRef": "nobody", "config": {"content": READ_AND_WRITE}}
WRONG_KEY = {"provider": "sandbox", "groupRef": "g1", "consumerRef": "c1", "apiKey": "wrong"}
PROBLEMS = [
    ("GET", "/operations/nothing", None, 404, "ApiProblem"),
    ("GET", "/nothing", None, 404, "ApiProblem"),
    ("DELETE", "/connections/{connection}", None, 409, "ApiProblem"),
    ("PATCH", "/integrations/crm/installations/{installation}", MASK, 400, "InputValidationProblem"),
    ("POST", "/integrations/crm/installations", INSTALL, 422, "InputValidationProblem"),
    ("POST", "/connections:generate", WRONG_KEY, 422, "InputValidationProblem"),
    ("PUT", "/integrations:batch", {"sourceYaml": "integrations: 1"}, 422, "InputValidationProblem"),
    ("GET", "/connections?provider=a&provider=b", None, 400, "ApiProblem"),
    ("GET", "/integrations/crm/objects/contacts/metadata", None, 400, "InputValidationProblem"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "schema"), PROBLEMS, ids=[row[1] for row in PROBLEMS])
async def test_a_problem_fits(  # noqa: PLR0917 -- a row of the table
    house: House, published: Published, method: str, path: str, body: Any, status: int, schema: str
) -> None:
    answer = await house.call(method, path.format(**await furnish(house)), json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert published.errors("api.bundled", schema, problem) == []
    assert list(oddities(problem)) == []
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert ("issues" in problem) is (schema == "InputValidationProblem")


@pytest.mark.parametrize(("key", "status"), [("", 401), (f"isk_{new_id()}", 401)])
async def test_a_missing_or_wrong_key_is_a_problem_too(
    house: House, published: Published, key: str, status: int
) -> None:
    answer = await house.client.get(f"/v1/projects/{house.project_id}", headers={"X-Api-Key": key} if key else {})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert published.errors("api.bundled", "ApiProblem", answer.json()) == []
