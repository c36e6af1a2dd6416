"""Where the built browser modules lie, what each of them is, and what the token of a page has to say.

They are built by ``make ui`` into `ASSETS` and shipped with the wheel; whoever serves them needs nothing else. They are
read once, as they were when the process started, and compressed then: what changes on the disk is not served.
"""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

ASSETS = Path(__file__).parent / "ui" / "assets"
CONTENT_TYPES = MappingProxyType(
    {
        ".js": "text/javascript",
        ".css": "text/css",
        ".ts": "text/plain",
        ".txt": "text/plain",
    }
)
"""By the end of a file's name: all are text in UTF-8. Whatever else lies there is served to nobody."""

MAX_LIFE_SECONDS = 600
"""How long a token may live."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file, ready to be served."""

    name: str
    content_type: str
    content: bytes
    gzipped: bytes
    digest: str
    """SHA-256 of the content, in hexadecimal digits."""
    integrity: str
    """What a page says in ``integrity`` to load these bytes and no others. https://www.w3.org/TR/SRI/"""


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """All files that belong together."""

    files: Mapping[str, Asset]
    """By name."""
    version: str
    """Another one whenever a byte of any of them is."""


@cache
def read_assets(folder: Path = ASSETS) -> Assets:
    """Read the files of a folder; of one that is not there, none."""
    paths = sorted(path for path in folder.glob("*") if path.suffix in CONTENT_TYPES and path.is_file())
    files = {path.name: _asset(path) for path in paths}
    whole = hashlib.sha256("".join(f"{asset.name} {asset.digest}\n" for asset in files.values()).encode())
    return Assets(files=MappingProxyType(files), version=whole.hexdigest()[:16])


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        name=path.name,
        content_type=CONTENT_TYPES[path.suffix],
        content=content,
        # Without a time in it: the same file is the same bytes in every process.
        gzipped=gzip.compress(content, compresslevel=9, mtime=0),
        digest=hashlib.sha256(content).hexdigest(),
        integrity=f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}",
    )


def session_claims(*, group_ref: str, consumer_ref: str, now: int, seconds: int) -> dict[str, Any]:
    """Answer what a token says for the person on a page.

    ``now`` is in seconds since 1970, ``seconds`` how long it lives: ten minutes at most. It is signed with RS256 and
    names the registered key in the header's ``kid``.
    """
    return {"groupRef": group_ref, "consumerRef": consumer_ref, "iat": now, "exp": now + seconds}
