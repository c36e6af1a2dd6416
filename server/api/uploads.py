"""The upload dance of the published deploy tool: a place to put an archive, and the archive put there once.

The tool asks for a place, puts the archive there without any credential, and deploys it under the name
``gs://{bucket}/{path}``. There is no bucket: the name is a ticket, random, good for one project, once, for minutes.
"""

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, put
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.status_codes import HTTP_200_OK

from installations.errors import Issue, invalid
from server.api.bodies import Malformed
from server.api.provided import FromAccess, FromApp
from server.door.address import unescape
from server.door.refusals import BadRequest
from server.services import Services
from server.store.contract import Missing, Upload

BUCKET = "isthmus-uploads"
LIFETIME = timedelta(minutes=10)
_MD5_BYTES = 16


class SignedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Where to put an archive, and what to call it afterwards."""

    url: str
    bucket: str
    path: str


@get("/v1/generate-upload-url")
async def generate_upload_url(
    services: FromApp, access: FromAccess, md5: Annotated[str | None, QueryParameter(name="md5", max_length=64)] = None
) -> SignedUrl:
    """Open a place for one archive, whose MD5 (base64) may be announced."""
    if md5 is not None and not _is_digest(md5):
        raise Malformed([Issue(path="query.md5", message="must be the base64 of 16 bytes", code="bad-value")])
    upload = Upload(
        id=secrets.token_urlsafe(32),
        project_id=access.project_id,
        md5=md5 or "",
        expire_time=services.clock() + LIFETIME,
    )
    await services.store.create_upload(upload)
    return SignedUrl(url=f"{services.settings.public_url}/v1/uploads/{upload.id}", bucket=BUCKET, path=upload.id)


@put("/v1/uploads/{upload_id:str}", status_code=HTTP_200_OK)
async def put_upload(
    services: FromApp,
    request: Request[Any, Any, Any],
    upload_id: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """Put the archive there, once. Whoever holds the URL may, so the URL is the credential."""
    if not body:
        raise BadRequest("The archive is empty.")
    name, now = unescape(upload_id), services.clock()
    upload = await services.store.upload(name, now=now)
    actual = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    for announced in (upload.md5, request.headers.get("content-md5", "")):
        if announced and announced != actual:
            raise BadRequest("The archive does not have the MD5 that was announced.")
    await services.store.fill_upload(name, body, now=now)
    return Response(b"", media_type=MediaType.TEXT)


async def take_archive(services: Services, project_id: str, source_zip_url: str) -> bytes:
    """Take out what was uploaded under our ``gs://`` name. Nothing is ever fetched. Raises `InvalidInput`."""
    name = source_zip_url.removeprefix(f"gs://{BUCKET}/")
    if name == source_zip_url:
        message = "only archives uploaded through generate-upload-url can be deployed"
        raise invalid("sourceZipUrl", message, code="unknown-upload")
    try:
        upload = await services.store.take_upload(project_id, name, now=services.clock())
    except Missing as error:
        message = "nothing was uploaded there, or it was used already, or its time is over"
        raise invalid("sourceZipUrl", message, code="unknown-upload") from error
    return upload.content


def _is_digest(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _MD5_BYTES
    except ValueError:
        return False
