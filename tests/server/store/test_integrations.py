import pytest

from installations.manifest import Proxy
from server.store.contract import InUse, Missing, Store
from tests.server.store.samples import later, spec


async def test_equal_content_keeps_its_revision(store: Store) -> None:
    before = await store.integration("p1", "crm")
    (after,) = await store.deploy("p1", [spec()], spec_version="1.0.0", now=later(9), ids=["x", "y"])
    assert after == before


async def test_new_content_makes_a_revision_and_keeps_the_old_one(store: Store) -> None:
    (after,) = await store.deploy(
        "p1", [spec(proxy=Proxy(enabled=True))], spec_version="1.0.0", now=later(9), ids=["x", "r9"]
    )
    assert (after.id, after.latest_revision.id, after.update_time) == ("i1", "r9", later(9))
    assert (await store.revision("p1", "r1")).content == spec()
    assert (await store.revision("p1", "r9")).content == spec(proxy=Proxy(enabled=True))
    assert await store.integration("p1", "i1") == after


async def test_several_are_deployed_in_the_order_asked(store: Store) -> None:
    specs = [spec("b"), spec("crm"), spec("a")]
    ids = ["ib", "rb", "x", "y", "ia", "ra"]
    deployed = await store.deploy("p1", specs, spec_version="1.0.0", now=later(9), ids=ids)
    assert [one.id for one in deployed] == ["ib", "i1", "ia"]
    assert [one.id for one in await store.integrations("p1")] == ["i1", "ia", "ib"]


async def test_a_deployment_is_one_transaction(store: Store) -> None:
    specs = [spec("new"), spec("crm", provider="salesforce")]
    with pytest.raises(InUse):
        await store.deploy("p1", specs, spec_version="1.0.0", now=later(9), ids=["i8", "r8", "i9", "r9"])
    assert [one.name for one in await store.integrations("p1")] == ["crm"]


async def test_the_provider_may_change_while_nothing_is_installed(store: Store) -> None:
    await store.delete_installation("p1", "n1")
    (after,) = await store.deploy(
        "p1", [spec(provider="salesforce")], spec_version="1.0.0", now=later(9), ids=["x", "r9"]
    )
    assert (after.id, after.provider) == ("i1", "salesforce")


async def test_an_unknown_project_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        await store.deploy("nobody", [spec()], spec_version="1.0.0", now=later(9), ids=["x", "y"])


async def test_deleting_takes_installations_and_their_connections_along(store: Store) -> None:
    await store.delete_integration("p1", "i1")
    assert await store.integrations("p1") == []
    assert await store.installations("p1") == []
    assert await store.connections("p1") == []
    with pytest.raises(Missing):
        await store.revision("p1", "r1")
    assert (await store.operation("p1", "o1")).integration_id == "i1"
