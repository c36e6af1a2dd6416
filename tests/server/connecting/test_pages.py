"""What stands on our pages: words from outside as text, headers that let nothing else in, and no secret."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.server.connecting.answering import answered
from tests.server.connecting.desk import OURS, PAGE, Desk, asked, decided, notice, tells

# Breaking out of text, attributes, scripts and comments; then encodings, entities, URLs, templates, controls.
PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</ScRiPt ><script>alert(1)//",
    "<!--<script>alert(1)//-->",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=https://evil.test><button>x",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<base href=https://evil.test/>",
    "<meta http-equiv=refresh content='0;url=https://evil.test'>",
    "<link rel=stylesheet href=https://evil.test/x.css>",
    "<style>@import 'https://evil.test'</style>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><script>alert(1)</script>'>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '" onmouseover=alert(1) x="',
    "' onfocus=alert(1) autofocus='",
    "` onerror=alert(1) `",
    '";alert(1);//',
    "';alert(1);//",
    '\\";alert(1);//',
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\\x3cscript\\x3ealert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "<%= alert(1) %>",
    "\u2028alert(1)\u2029",
    "\ufeff<script>alert(1)</script>",
    "\u202e<script>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>",
    "\t<script\x0b>alert(1)</script>",
    "]]>\"'><script>alert(1)</script>",
    "x" * 20_000,
)
HTML = "text/html; charset=utf-8"


class Seen(HTMLParser):
    """What a page is made of, as a browser would read it."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._within = ""
        self.feed(page.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._within = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 -- the parser passes it
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.scripts.append(data)
        else:
            self.text += data


def harmless(page: httpx.Response, plain: httpx.Response) -> Seen:
    """Check that a page is built like the one for plain words, and runs nothing else."""
    seen, other = Seen(page), Seen(plain)
    assert seen.tags == other.tags
    assert [name for name, _ in seen.attributes] == [name for name, _ in other.attributes]
    assert seen.scripts[1:] == other.scripts[1:]
    for mark in "<>&\u2028\u2029":
        assert all(mark not in script for script in seen.scripts[:1])
    assert set(page.headers) == set(plain.headers)
    assert page.headers["content-security-policy"] == plain.headers["content-security-policy"]
    return seen


async def refused(desk: Desk, *, error: str, description: str) -> httpx.Response:
    browser = desk.browser()
    address = await browser.set_out(await desk.link())
    said = {"state": asked(address)["state"], "iss": desk.house.sandbox_url}
    query = urlencode({**said, "error": error, "error_description": description})
    return await browser.client.get(f"{desk.callback()}?{query}")


async def test_what_a_provider_says_is_text_on_the_page_and_in_the_message(desk: Desk) -> None:
    await desk.registered()
    plain = await refused(desk, error="plain", description="plain")
    for payload in PAYLOADS:
        for words in ({"error": "x", "description": payload}, {"error": payload, "description": "x"}):
            page = await refused(desk, **words)
            assert (page.status_code, page.headers["content-type"]) == (400, HTML)
            seen = harmless(page, plain)
            told = notice(page)
            assert told["targets"] == [PAGE]
            assert told["message"]["message"] == told["message"]["data"]["error"]
            assert len(told["message"]["message"]) <= 600
            assert told["message"]["message"].split("\r")[0] in seen.text


async def test_names_are_text_on_every_page(desk: Desk) -> None:
    await desk.registered()
    plain_question = await desk.browser().open(await desk.link(origin=None, groupName="plain"), referer=None)
    browser = desk.browser()
    plain_end = await browser.client.get(await decided(await browser.set_out(await desk.link())))
    for payload in PAYLOADS:
        name = payload[:255]
        change = {"updateMask": ["appName"], "project": {"appName": payload[:128]}}
        assert (await desk.house.call("PATCH", "", json=change)).status_code == 200
        question = await desk.browser().open(await desk.link(origin=None, groupName=name), referer=None)
        harmless(question, plain_question)
        browser = desk.browser()
        link = await desk.link(groupRef=name, consumerRef=name, groupName=name, consumerName=name)
        page = await browser.client.get(await decided(await browser.set_out(link)))
        harmless(page, plain_end)
        assert notice(page)["message"]["data"]["connection"]["consumer"]["consumerName"] == name


async def test_what_stands_in_an_address_stands_on_no_page(desk: Desk) -> None:
    dead = (await desk.browser().open("/connect/nothing")).text
    for payload in PAYLOADS:
        browser = desk.browser()
        pages = [
            await browser.client.get("/connect/" + httpx.QueryParams({"": payload[:300]}).__str__()[1:]),
            await browser.client.get(desk.callback(), params={"state": payload[:300]}),
            await browser.client.get(desk.callback(), params={"state": "x", "error_description": payload[:300]}),
        ]
        for page in pages:
            if page.headers["content-type"] == HTML:
                assert page.text == dead
            else:
                assert page.headers["content-type"] == "application/problem+json"
                assert page.headers["x-content-type-options"] == "nosniff"


async def test_a_stepwise_customer_brings_text(desk: Desk) -> None:
    headers = {**desk.house.headers, "Origin": PAGE}
    body = {"projectIdOrName": "acme", "provider": "sandboxSteps", "groupRef": "g", "consumerRef": "c"}
    for payload in PAYLOADS:
        link = (await desk.house.client.post("/v1/custom-auth/connect", json=body, headers=headers)).json()["redirect"]
        browser = desk.browser()
        await browser.open(link["url"])
        parameters = {"workspace": payload, payload[:200]: "x", "session": link["sessionId"]}
        page = await browser.client.get(f"{OURS}/callbacks/v1/custom-auth/default", params=parameters)
        assert notice(page)["message"]["params"] == parameters
        assert "alert(1)" not in re.sub(r"(?s)<script type.*?</script>", "", page.text)
        echo = await desk.browser().client.post(f"{OURS}/callbacks/v1/custom-auth/default", data=parameters)
        seen = Seen(echo)
        assert seen.tags.count("input") == 4
        assert ("value", payload) in seen.attributes or "\r" in payload


async def pages(desk: Desk) -> dict[str, httpx.Response]:
    """One of each of our pages."""
    await desk.registered()
    browser = desk.browser()
    link = await desk.link(origin=None)
    question = await browser.open(link, referer=None)
    departure = await browser.press(link, question)
    ended = await browser.client.get(await decided(departure.headers["location"]))
    return {
        "question": question,
        "departure": departure,
        "connected": ended,
        "denied": await refused(desk, error="access_denied", description=""),
        "dead": await browser.open(link),
        "form": await browser.client.post(f"{OURS}/callbacks/v1/custom-auth/default", data={"a": "b"}),
    }


async def test_every_page_keeps_to_itself(desk: Desk) -> None:
    for name, page in (await pages(desk)).items():
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert page.headers["cache-control"] == "no-store", name
        assert page.headers["referrer-policy"] == "no-referrer", name
        assert page.headers["x-content-type-options"] == "nosniff", name
        assert "cross-origin-opener-policy" not in page.headers, name
        assert "access-control-allow-origin" not in page.headers, name
        if page.text:
            assert page.headers["x-frame-options"] == "DENY", name
            assert "base-uri 'none'" in policy, name


async def test_what_runs_and_what_styles_is_what_the_policy_names(desk: Desk) -> None:
    for name, page in (await pages(desk)).items():
        policy = page.headers["content-security-policy"]
        running = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
        styles = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        wanted = {hashed(source) for source in (*running, *styles)}
        assert set(re.findall(r"'sha256-[^']+'", policy)) == wanted, name
        assert ("script-src" in policy) is bool(running), name


def hashed(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@pytest.mark.parametrize("path", ["/connect/x", "/callbacks/v1/custom-auth/default"])
async def test_a_page_takes_no_more_than_a_form(desk: Desk, path: str) -> None:
    client = desk.browser().client
    answers: list[Any] = [
        await client.post(path, json={"a": "b"}),
        await client.post(path, content=b"a=%ff", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        await client.post(path, content=b"a=%00", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        await client.post(path, data={str(number): "x" for number in range(51)}),
        await client.post(path, content=b"x" * 1_000_001),
        await client.put(path, content=b"x"),
    ]
    assert all(400 <= answer.status_code < 500 and not tells(answer) for answer in answers)


def test_an_answer_is_made_for_the_address_that_was_asked() -> None:
    address = f"https://provider.test/authorize?redirect_uri={OURS}/x&state=s"
    assert answered(address) == f"{OURS}/x?code=answered-code&state=s"
