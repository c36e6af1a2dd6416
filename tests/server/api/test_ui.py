"""The built browser modules: exactly these files, to every page, and kept for no longer than is right."""

import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from headless.embed import ASSETS, Assets, read_assets
from server.api.representations import is_known, takes_gzip
from tests.server.house import House, open_house

FILES: Mapping[str, tuple[str, str]] = {
    # name: content, and its type
    "install.js": ("customElements.define('isthmus-install', class extends HTMLElement {});" * 9, "text/javascript"),
    "headless.js": ("export const createInstaller = () => {};", "text/javascript"),
    "headless.d.ts": ("export declare function createInstaller(): void;", "text/plain"),
    "page.css": ("body { margin: 0 }", "text/css"),
    "LICENSE.txt": ("MIT ©", "text/plain"),
}


def written(folder: Path) -> Assets:
    folder.mkdir()
    for name, (content, _) in FILES.items():
        (folder / name).write_text(content, "utf-8")
    (folder / ".DS_Store").write_bytes(b"of an editor")
    (folder / "map.bin").write_bytes(b"of nobody")
    (folder / "deep").mkdir()
    (folder / "deep" / "inner.js").write_text("no", "utf-8")
    (folder.parent / "outside.js").write_text("no", "utf-8")
    return read_assets(folder)


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return written(tmp_path / "assets")


@pytest.fixture
async def built(assets: Assets) -> AsyncIterator[House]:
    async with open_house(assets=assets) as house:
        yield house


async def fetch(house: House, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    named = {"accept-encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await house.client.request(method, path, headers=named)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("fixed", [False, True])
async def test_every_file_is_served_to_every_page(built: House, assets: Assets, name: str, fixed: bool) -> None:  # noqa: FBT001
    answer = await fetch(built, f"/ui/{assets.version}/{name}" if fixed else f"/ui/{name}")
    content, kind = FILES[name]
    assert (answer.status_code, answer.text) == (200, content)
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] == f'"{hashlib.sha256(content.encode()).hexdigest()}"'
    kept = "public, max-age=31536000, immutable" if fixed else "public, max-age=60"
    assert answer.headers["cache-control"] == kept
    assert answer.headers.get("content-location") == (None if fixed else f"/ui/{assets.version}/{name}")
    assert "set-cookie" not in answer.headers


async def test_a_head_says_the_same_without_a_body(built: House) -> None:
    whole, head = [await fetch(built, "/ui/install.js", method) for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    ours = {name: value for name, value in whole.headers.items() if name != "x-request-id"}
    assert {name: value for name, value in head.headers.items() if name != "x-request-id"} == ours


async def test_whoever_takes_gzip_gets_it_under_a_tag_of_its_own(built: House) -> None:
    plain = await fetch(built, "/ui/install.js")
    async with built.client.stream("GET", "/ui/install.js", headers={"accept-encoding": "br, gzip"}) as zipped:
        raw = b"".join([part async for part in zipped.aiter_raw()])
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) == len(raw) < len(plain.content)
    assert gzip.decompress(raw) == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"]


async def test_what_a_browser_has_is_not_sent_again(built: House) -> None:
    for encoding in ("identity", "gzip"):
        first = await fetch(built, "/ui/install.js", accept_encoding=encoding)
        tag = first.headers["etag"]
        again = await fetch(built, "/ui/install.js", accept_encoding=encoding, if_none_match=tag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["access-control-allow-origin"] == "*"
        for name in ("cache-control", "vary", "content-location"):
            assert again.headers[name] == first.headers[name]
    stale = await fetch(built, "/ui/install.js", if_none_match='"something-else"')
    assert stale.status_code == 200


TRAVERSALS = [
    *("/ui/", "/ui", "/ui/nothing.js", "/ui/INSTALL.JS"),
    *("/ui/../outside.js", "/ui/..%2Foutside.js", "/ui/%2e%2e/outside.js", "/ui/%2e%2e%2foutside.js"),
    *("/ui/..%5Coutside.js", "/ui/deep/inner.js", "/ui/deep%2Finner.js", "/ui/.DS_Store", "/ui/map.bin"),
    *("/ui/install.js%00", "/ui/install.js%00.css", "/ui/%2Fetc%2Fpasswd", "/ui//etc/passwd", "/ui/install.js%20"),
    *("/ui/{version}/../outside.js", "/ui/{version}/..%2F..%2Foutside.js", "/ui/{version}/", "/ui/0/install.js"),
    *("/ui/{version}%2Finstall.js", "/ui/%7Bversion%7D/install.js", "/ui/" + "a" * 2000),
]


async def test_an_address_of_another_version_says_where_the_file_is_now(built: House, assets: Assets) -> None:
    answer = await fetch(built, "/ui/0/install.js")
    said = f"This server's install.js is at /ui/{assets.version}/install.js, and whatever is current at /ui/install.js."
    assert (answer.status_code, answer.json()["detail"]) == (404, said)
    nothing = await fetch(built, "/ui/0/nothing.js")
    assert (nothing.status_code, nothing.json()["detail"]) == (404, "There is nothing at this address.")


@pytest.mark.parametrize("path", TRAVERSALS)
async def test_nothing_else_is_served(built: House, assets: Assets, path: str) -> None:
    raw = path.replace("{version}", assets.version)
    answer = await built.client.send(
        httpx.Request("GET", httpx.URL("http://isthmus.test").copy_with(raw_path=raw.encode()))
    )
    assert answer.status_code in {400, 404}, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_files_are_read_and_nothing_else_is_done_to_them(built: House, method: str) -> None:
    assert (await fetch(built, "/ui/install.js", method)).status_code == 405


POISON = ["x-forwarded-host", "x-forwarded-proto", "x-original-url", "x-rewrite-url", "origin", "referer", "cookie"]


@pytest.mark.parametrize("header", POISON)
async def test_what_a_cache_would_keep_for_all_depends_on_nothing_of_one_visitor(built: House, header: str) -> None:
    plain = await fetch(built, "/ui/install.js")
    told = await built.client.get(
        "/ui/install.js", headers={"accept-encoding": "identity", header: "https://evil.test/x"}
    )
    assert (told.status_code, told.content) == (200, plain.content)
    without = [{n: v for n, v in each.headers.items() if n != "x-request-id"} for each in (plain, told)]
    assert without[0] == without[1]


ENCODINGS = [
    ("", False),
    ("gzip", True),
    ("GZIP;q=0.5", True),
    ("gzip;q=0", False),
    ("gzip; q=0.000", False),
    ("br", False),
    ("*", True),
    ("*;q=0", False),
    ("*, gzip;q=0", False),
    ("identity, *;q=0", False),
    ("x-gzip", False),
    (",;=,", False),
]


@pytest.mark.parametrize(("accepted", "expected"), ENCODINGS)
def test_gzip_is_sent_to_whoever_takes_it(accepted: str, expected: bool) -> None:  # noqa: FBT001
    assert takes_gzip(accepted) is expected


TAGS = [("", False), ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"ab"', False), ("a", False)]


@pytest.mark.parametrize(("tags", "expected"), TAGS)
def test_a_tag_is_found_among_those_a_browser_has(tags: str, expected: bool) -> None:  # noqa: FBT001
    assert is_known(tags, '"a"') is expected


def test_the_version_is_another_one_for_every_other_byte_and_name(tmp_path: Path) -> None:
    versions = set()
    for number, (name, content) in enumerate([("a.js", "1"), ("a.js", "2"), ("b.js", "1")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(content, "utf-8")
        versions.add(read_assets(folder).version)
    assert len(versions) == 3


def test_what_a_page_pins_is_what_is_served(assets: Assets) -> None:
    asset = assets.files["install.js"]
    assert asset.integrity == f"sha384-{base64.b64encode(hashlib.sha384(asset.content).digest()).decode()}"
    assert gzip.decompress(asset.gzipped) == asset.content


def test_of_a_folder_that_is_not_there_nothing_is_served(tmp_path: Path) -> None:
    assert dict(read_assets(tmp_path / "nowhere").files) == {}


def test_the_files_that_are_built_in_are_there() -> None:
    assert {"headless.js", "install.js", "headless.d.ts", "install.d.ts"} <= set(read_assets(ASSETS).files)
