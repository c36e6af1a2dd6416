"""Ways to an account, a code or a message that is not one's own, one a function; each is told with what it came to."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from tests.oauth_servers.customers import Stuck
from tests.server.api.town import neighbour
from tests.server.connecting.desk import OURS, Browser, Desk, asked, decided, tells, with_query


class Scene(msgspec.Struct, kw_only=True):
    """A customer on the way, and somebody who is up to something."""

    desk: Desk
    victim: Browser
    attacker: Browser
    link: str
    address: str
    """Where the victim was sent: the provider's page."""
    back: str
    """Where the provider sent the victim back to, which the victim has not opened yet."""


async def theirs(scene: Scene, **body: Any) -> tuple[str, str]:
    """The attacker's own flow: where they were sent, and where they were sent back to."""
    address = await scene.attacker.set_out(await scene.desk.link(groupRef="evil", consumerRef="evil", **body))
    return address, await decided(address)


def cookies_of(browser: Browser) -> list[tuple[str, str]]:
    return [(cookie.name, cookie.value or "") for cookie in browser.client.cookies.jar]


async def no_cookie(scene: Scene) -> httpx.Response:
    return await scene.attacker.client.get(scene.back)


async def another_flow_s_cookie(scene: Scene) -> httpx.Response:
    await theirs(scene)
    return await scene.attacker.client.get(scene.back)


async def another_value_under_the_right_name(scene: Scene) -> httpx.Response:
    await theirs(scene)
    ((name, _),) = cookies_of(scene.victim)
    ((_, value),) = cookies_of(scene.attacker)
    scene.attacker.client.cookies.set(name, value)
    return await scene.attacker.client.get(scene.back)


async def an_empty_cookie(scene: Scene) -> httpx.Response:
    ((name, _),) = cookies_of(scene.victim)
    return await scene.attacker.client.get(scene.back, headers={"Cookie": f"{name}="})


async def the_state_as_cookie(scene: Scene) -> httpx.Response:
    ((name, _),) = cookies_of(scene.victim)
    scene.attacker.client.cookies.set(name, asked(scene.back)["state"])
    return await scene.attacker.client.get(scene.back)


async def a_guessed_state(scene: Scene) -> httpx.Response:
    state = asked(scene.back)["state"]
    return await scene.victim.client.get(with_query(scene.back, state=state[:-1] + ("A" if state[-1] != "A" else "B")))


async def no_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=None))


async def an_empty_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=""))


async def the_state_twice(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(f"{scene.back}&state=x")


async def the_code_twice(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(f"{scene.back}&code=x")


async def a_state_of_digest_length(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state="\x01" * 32))


async def the_ticket_as_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=scene.link.rpartition("/")[2]))


async def the_state_as_ticket(scene: Scene) -> httpx.Response:
    return await scene.attacker.open(f"{OURS}/connect/{asked(scene.back)['state']}")


async def a_used_link(scene: Scene) -> httpx.Response:
    return await scene.attacker.open(scene.link)


async def a_used_link_in_the_same_browser(scene: Scene) -> httpx.Response:
    return await scene.victim.open(scene.link)


async def the_attacker_s_code_for_the_victim_s_state(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    answer = await scene.victim.client.get(with_query(scene.back, code=asked(back)["code"]))
    await restart(scene)
    return answer


async def the_victim_s_code_for_the_attacker_s_state(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    return await scene.attacker.client.get(with_query(back, code=asked(scene.back)["code"]))


async def the_attacker_s_whole_answer_in_the_victim_s_browser(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    return await scene.victim.client.get(back)


async def a_code_asked_without_a_challenge(scene: Scene) -> httpx.Response:
    """PKCE downgrade: the challenge is cut out of the address on its way."""
    address = with_query(scene.address, code_challenge=None, code_challenge_method=None)
    answer = await scene.victim.client.get(await decided(address))
    await restart(scene)
    return answer


async def a_code_asked_with_the_attacker_s_challenge(scene: Scene) -> httpx.Response:
    address, _ = await theirs(scene)
    answer = await scene.victim.client.get(
        await decided(with_query(scene.address, code_challenge=asked(address)["code_challenge"]))
    )
    await restart(scene)
    return answer


async def a_code_asked_for_another_address(scene: Scene) -> httpx.Response:
    """The code was given for the attacker's redirect URI, and is carried to ours."""
    stolen = await decided(with_query(scene.address, redirect_uri="https://evil.test/cb"))
    answer = await scene.victim.client.get(with_query(scene.back, code=asked(stolen)["code"]))
    await restart(scene)
    return answer


async def an_unregistered_address(scene: Scene) -> httpx.Response:
    try:
        await decided(with_query(scene.address, redirect_uri=f"{scene.desk.callback()}/../../evil"))
    except Stuck as refusal:
        return refusal.page
    raise AssertionError("the provider redirected")


async def another_provider_s_callback(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/sandboxOAuthCode?"))
    await restart(scene)
    return answer


async def another_project_s_callback(scene: Scene) -> httpx.Response:
    rival = await neighbour(scene.desk.house)
    answer = await scene.victim.client.get(scene.back.replace(scene.desk.house.project_id, rival.project_id))
    await restart(scene)
    return answer


async def a_callback_by_the_project_s_name(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace(scene.desk.house.project_id, "acme"))
    await restart(scene)
    return answer


async def a_callback_in_other_letters(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/SANDBOXOAUTH?"))
    await restart(scene)
    return answer


async def a_callback_with_a_slash_inside(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/x%2F..%2FsandboxOAuth?"))
    await restart(scene)
    return answer


async def another_issuer(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss="https://evil.test"))
    await restart(scene)
    return answer


async def an_issuer_with_a_slash_more(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss=f"{scene.desk.house.sandbox_url}/"))
    await restart(scene)
    return answer


async def no_issuer(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss=None))
    await restart(scene)
    return answer


async def an_error_beside_a_code(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, error="access_denied"))
    await restart(scene)
    return answer


async def an_error_for_somebody_else_s_state(scene: Scene) -> httpx.Response:
    """Nobody can spoil a flow by its state alone: the victim's stays good."""
    return await scene.attacker.client.get(with_query(scene.back, code=None, error="access_denied"))


async def neither_code_nor_error(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, code=None))
    await restart(scene)
    return answer


async def too_late(scene: Scene) -> httpx.Response:
    scene.desk.clock.pass_by(minutes=10, seconds=1)
    answer = await scene.victim.client.get(scene.back)
    await restart(scene)
    return answer


async def a_link_too_late(scene: Scene) -> httpx.Response:
    link = await scene.desk.link()
    scene.desk.clock.pass_by(minutes=10, seconds=1)
    answer = await scene.attacker.open(link)
    await restart(scene)
    return answer


async def a_callback_in_a_frame(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(scene.back, headers={"Sec-Fetch-Dest": "iframe"})


async def a_callback_by_form(scene: Scene) -> httpx.Response:
    return await scene.victim.client.post(scene.back.partition("?")[0], data=asked(scene.back))


async def the_stepwise_callback_with_a_state(scene: Scene) -> httpx.Response:
    scene.victim.client.cookies.set("isthmus-connect-custom", f"{asked(scene.back)['state']}.x")
    return await scene.victim.client.get(f"{OURS}/callbacks/v1/custom-auth/default", params=asked(scene.back))


async def a_forwarded_link_from_a_page(scene: Scene) -> httpx.Response:
    """Session fixation: the attacker's link is put on a page that the victim visits."""
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    return await scene.victim.open(link, referer="https://evil.test/")


async def a_forwarded_link_in_a_mail(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    answer = await scene.victim.open(link, referer=None)
    assert "evil" in answer.text
    assert re.search("Continue only if you started this yourself", answer.text)
    return answer


async def a_forwarded_link_fetched_by_a_page(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    return await scene.victim.open(link, sec_fetch_dest="empty", sec_fetch_mode="cors")


async def a_button_pressed_by_another_page(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    page = await scene.attacker.open(link, referer=None)
    return await scene.victim.press(link, page)


async def a_forwarded_provider_address(scene: Scene) -> httpx.Response:
    """The attacker set out, and has the victim decide at the provider: the victim's browser comes back."""
    address, _ = await theirs(scene)
    return await scene.victim.client.get(await decided(address))


CASES: tuple[tuple[Callable[[Scene], Awaitable[httpx.Response]], int], ...] = (
    (no_cookie, 400),
    (another_flow_s_cookie, 400),
    (another_value_under_the_right_name, 400),
    (an_empty_cookie, 400),
    (the_state_as_cookie, 400),
    (a_guessed_state, 400),
    (no_state, 400),
    (an_empty_state, 400),
    (the_state_twice, 400),
    (the_code_twice, 400),
    (a_state_of_digest_length, 400),
    (the_ticket_as_state, 400),
    (the_state_as_ticket, 400),
    (a_used_link, 400),
    (a_used_link_in_the_same_browser, 400),
    (the_attacker_s_code_for_the_victim_s_state, 400),
    (the_victim_s_code_for_the_attacker_s_state, 400),
    (the_attacker_s_whole_answer_in_the_victim_s_browser, 400),
    (a_code_asked_without_a_challenge, 400),
    (a_code_asked_with_the_attacker_s_challenge, 400),
    (a_code_asked_for_another_address, 400),
    (an_unregistered_address, 400),
    (another_provider_s_callback, 400),
    (another_project_s_callback, 400),
    (a_callback_by_the_project_s_name, 400),
    (a_callback_in_other_letters, 400),
    (a_callback_with_a_slash_inside, 400),
    (another_issuer, 400),
    (an_issuer_with_a_slash_more, 400),
    (no_issuer, 400),
    (an_error_beside_a_code, 400),
    (an_error_for_somebody_else_s_state, 400),
    (neither_code_nor_error, 400),
    (too_late, 400),
    (a_link_too_late, 400),
    (a_callback_in_a_frame, 400),
    (a_callback_by_form, 405),
    (the_stepwise_callback_with_a_state, 400),
    (a_forwarded_link_from_a_page, 400),
    (a_forwarded_link_in_a_mail, 200),
    (a_forwarded_link_fetched_by_a_page, 400),
    (a_button_pressed_by_another_page, 400),
    (a_forwarded_provider_address, 400),
)
"""The attack, and the status of what it came to."""


async def restart(scene: Scene) -> None:
    """Let the victim set out again, where the attack cost them their consent."""
    assert await scene.desk.connections() == []
    again = await scene.victim.client.get(scene.back)
    assert (again.status_code, tells(again)) == (400, False)
    scene.back = await decided(await scene.victim.set_out(await scene.desk.link()))
