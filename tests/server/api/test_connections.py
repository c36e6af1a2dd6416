"""What the operator's policy forbids is said as such, and never blamed on the customer's key."""

from tests.server.house import open_house


async def test_a_provider_that_may_not_be_called_is_the_operators_matter() -> None:
    async with open_house(provider_urls={"hubspot": "http://10.255.255.1"}) as house:
        body = {"provider": "hubspot", "groupRef": "g1", "consumerRef": "c1", "apiKey": "k"}
        answer = await house.call("POST", "/connections:generate", json=body)
    (issue,) = answer.json()["issues"]
    assert (answer.status_code, issue["code"], issue["name"]) == (422, "address-denied", "provider")
    assert "ISTHMUS_ALLOWED_NETWORKS" in issue["remedy"]
