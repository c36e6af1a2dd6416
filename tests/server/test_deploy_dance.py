"""What the official command-line tool does to deploy, over a real socket: every step, and every way to abuse it."""

import base64
import hashlib
import io
import stat
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from installations.installation import Project
from server.access.keys import new_key
from server.clock import new_id
from tests.server.house import MANIFEST, START, stored_key
from tests.server.loopback import Served, on_loopback

GOOD = MANIFEST.encode()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with on_loopback() as served:
        yield served


class Tool:
    """The tool with the key of one project; it knows nothing but the published calls."""

    def __init__(self, served: Served, *, project: str, key: str) -> None:
        self.project = project
        self.public_url = served.house.services.settings.public_url
        self.client = httpx.Client(
            base_url=served.origin, headers={"X-Api-Key": key, "User-Agent": "amp-cli"}, timeout=60
        )

    def place(self, archive: bytes) -> dict[str, str]:
        """Ask where to put an archive; the server behind this address is the one that is called here."""
        answer = self.client.get("/v1/generate-upload-url", params={"md5": md5(archive)})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def put(self, place: dict[str, str], content: bytes, *, announced: bytes | None = None) -> httpx.Response:
        path = place["url"].removeprefix(self.public_url)
        digest = md5(content if announced is None else announced)
        return httpx.put(f"{self.client.base_url}{path}", content=content, headers={"Content-MD5": digest})

    def deploy(self, place: dict[str, str], *, destructive: bool = False) -> httpx.Response:
        path = place["path"] if place["path"].startswith("/") else f"/{place['path']}"
        return self.client.put(
            f"/v1/projects/{self.project}/integrations:batch",
            params={"destructive": "true"} if destructive else None,
            json={"sourceZipUrl": f"gs://{place['bucket']}{path}"},
        )

    def dance(self, archive: bytes) -> httpx.Response:
        place = self.place(archive)
        put = self.put(place, archive)
        assert put.is_success, put.text
        return self.deploy(place)


@pytest.fixture
def tool(served: Served) -> Iterator[Tool]:
    tool = Tool(served, project="acme", key=served.house.key)
    with tool.client:
        yield tool


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # the same name twice is what one case is about
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted(archive: bytes) -> bytes:
    """Set the bit that says so, in both headers."""
    return archive.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )


def test_the_whole_dance(tool: Tool) -> None:
    assert tool.client.get("/v1/projects/acme/integrations").json() == []
    archive = zipped(("amp.yaml", GOOD))
    place = tool.place(archive)
    assert set(place) == {"url", "bucket", "path"}
    assert tool.put(place, archive).is_success
    deployed = tool.deploy(place, destructive=True)
    assert deployed.status_code == 200, deployed.text
    assert [integration["name"] for integration in deployed.json()] == ["crm"]
    assert [one["id"] for one in tool.client.get("/v1/projects/acme/integrations").json()] == [deployed.json()[0]["id"]]


def test_an_upload_is_good_for_one_deployment(tool: Tool) -> None:
    archive = zipped(("amp.yaml", GOOD))
    place = tool.place(archive)
    assert tool.put(place, archive).is_success
    assert tool.put(place, archive).status_code == 409
    assert tool.deploy(place).status_code == 200
    again = tool.deploy(place)
    assert (again.status_code, "used already" in again.json()["detail"]) == (422, True)


def test_an_archive_other_than_announced_is_not_taken(tool: Tool) -> None:
    archive, other = zipped(("amp.yaml", GOOD)), zipped(("amp.yaml", GOOD + b"\n"))
    place = tool.place(archive)
    for refused in (tool.put(place, other), tool.put(place, other, announced=archive), tool.put(place, b"")):
        assert refused.status_code == 400, refused.text
        assert refused.json()["detail"]
    assert tool.put(place, archive, announced=other).status_code == 400
    assert tool.deploy(place).status_code == 422
    assert tool.put(place, archive).is_success


def test_an_upload_of_another_project_cannot_be_deployed(served: Served, tool: Tool) -> None:
    key = new_key()
    project = Project(id=new_id(), name="rival", app_name="Rival", org_id=new_id(), create_time=START)
    served.ask(served.house.services.store.create_project(project, key=stored_key(project.id, key)))
    archive = zipped(("amp.yaml", GOOD))
    place = tool.place(archive)
    assert tool.put(place, archive).is_success
    rival = Tool(served, project="rival", key=key)
    with rival.client:
        refused = rival.deploy(place)
        assert (refused.status_code, "nothing was uploaded" in refused.json()["detail"]) == (422, True)
        assert rival.client.get("/v1/projects/rival/integrations").json() == []
    assert tool.deploy(place).status_code == 200


SOURCES = ["gs://isthmus-uploads/", "gs://other/abc", "https://evil.test/a.zip", "file:///etc/passwd", "gs://", "", "x"]


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_ever_fetched(tool: Tool, source: str) -> None:
    answer = tool.client.put("/v1/projects/acme/integrations:batch", json={"sourceZipUrl": source})
    assert (answer.status_code, answer.json()["issues"][0]["name"]) == (422, "sourceZipUrl")


ARCHIVES: dict[str, tuple[bytes, str]] = {
    "no manifest": (zipped(("other.yaml", GOOD)), "exactly one amp.yaml"),
    "nothing": (zipped(), "exactly one amp.yaml"),
    "an absolute path": (zipped(("/amp.yaml", GOOD)), "exactly one amp.yaml"),
    "a path upwards": (zipped(("../amp.yaml", GOOD)), "exactly one amp.yaml"),
    "a folder": (zipped(("x/amp.yaml", GOOD)), "exactly one amp.yaml"),
    "two manifests": (zipped(("amp.yaml", GOOD), ("amp.yaml", GOOD)), "not 2"),
    "a link": (zipped((link("amp.yaml"), b"/etc/passwd")), "must be a plain file"),
    "many entries": (zipped(*((f"{n}", b"") for n in range(5000)), ("amp.yaml", GOOD)), "at most 16"),
    "a bomb": (zipped(("amp.yaml", b" " * 90_000_000)), "larger than"),
    "another method": (zipped(("amp.yaml", GOOD), method=zipfile.ZIP_BZIP2), "deflated or stored"),
    "encrypted": (encrypted(zipped(("amp.yaml", GOOD))), "not encrypted"),
    "no zip": (b"PK\x03\x04 and nonsense", "no zip archive"),
    "cut off": (zipped(("amp.yaml", GOOD))[:-20], "no zip archive"),
    "a wrong checksum": (zipped(("amp.yaml", GOOD), method=zipfile.ZIP_STORED).replace(b"crm", b"crn"), "no zip"),
    "a broken manifest": (zipped(("amp.yaml", b"specVersion: 1.0.0")), "integrations"),
    "no text": (zipped(("amp.yaml", b"\xff\xfe\x00")), "UTF-8"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_not_believed(tool: Tool, name: str) -> None:
    archive, said = ARCHIVES[name]
    before: Any = tool.client.get("/v1/projects/acme/integrations").json()
    answer = tool.dance(archive)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"], answer.text
    assert tool.client.get("/v1/projects/acme/integrations").json() == before


def test_an_archive_of_more_than_a_megabyte_is_not_taken(tool: Tool) -> None:
    archive = bytes(1_000_001)
    assert tool.put(tool.place(archive), archive).status_code == 413
