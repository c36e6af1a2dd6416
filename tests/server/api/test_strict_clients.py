"""What generated clients demand besides the schema of an answer: no nulls, times with zones, pages that end."""

import re
from collections.abc import Iterator
from typing import Any

from tests.conftest import Published
from tests.server.house import House

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


async def test_operations_come_in_pages(house: House, published: Published) -> None:
    await house.deploy()
    await house.connect()
    path = f"/integrations/crm/installations/{(await house.install())['id']}/operations"
    for email, status in (("a@b.co", 200), ("nobody", 422)):
        assert (await house.write("contacts", {"type": "create", "record": {"email": email}})).status_code == status
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
        assert "providerOpts" in provider  # Older clients demand it.
        for document in ("api.bundled", "catalog"):
            assert published.errors(document, "ProviderInfo", provider) == []
        assert (await house.client.get(f"/v1/providers/{name}")).json() == provider
