"""Revisions over HTTP: one of them, filled in with what a customer's own account has, for the embedded UI."""

import asyncio
import gzip
import hashlib
from collections.abc import Collection
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, HeaderParameter, QueryParameter

from connectors.errors import Refused
from installations.errors import invalid
from installations.hydration import HydratedRevision, hydrate, objects_of
from installations.record import Fault
from server.api.provided import Entered, FromAccess, FromApp
from server.api.representations import is_known, takes_gzip
from server.deployments import provider_facts
from server.door.address import unescape
from server.schemas import Denied
from server.store.contract import Missing

REVALIDATED = {
    "cache-control": "private, no-cache",
    "vary": "Authorization, X-Api-Key, X-Isthmus-Detail, Accept-Encoding",
}
"""The answer may be megabytes, and the published library asks for it whenever its window gets the focus. A browser may
keep it for the credential that it was given to, and asks each time whether it is still so."""
Refresh = Annotated[bool, QueryParameter(name="refresh")]


@get("/integrations/{integration_id_or_name:str}/revisions/{revision_id:str}/:hydrate")
async def hydrate_revision(  # noqa: PLR0917 -- a handler's parameters are its URL's
    request: Request[Any, Any, Any],
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    revision_id: FromPath[str],
    connection_id: Annotated[str, QueryParameter(name="connectionId", max_length=255)],
    refresh: Refresh = False,  # noqa: FBT002 -- a query flag
    detail: Annotated[bool, HeaderParameter(name="X-Isthmus-Detail")] = False,  # noqa: FBT002 -- a switch
) -> Response[HydratedRevision]:
    """Show a revision with the fields of one connection's account; an object that cannot be described says why.

    Descriptions are up to ten minutes old; ``refresh`` asks the account again. With the header ``X-Isthmus-Detail``,
    which is ours, write objects say all that a page needs to offer them, and ``allFields`` is left out.
    """
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    revision = await services.store.revision(project_id, unescape(revision_id))
    if revision.content.name != integration.name:
        raise Missing("There is no such revision of this integration.")
    connection = await services.store.connection(project_id, connection_id)
    access.require_sight(connection.group.group_ref, noun="connection", name=connection_id)
    if connection.provider != integration.provider:
        message = f"the connection is to {connection.provider}, the integration to {integration.provider}"
        raise invalid("query.connectionId", message, code="provider-mismatch")
    described = await services.schemas.described(connection, objects_of(revision.content), refresh=refresh)
    if not detail:
        _require_credential(described.values())
    facts = provider_facts(services).get(integration.provider)
    answer = hydrate(revision, described, detail=detail, provider=facts)
    return await _revalidated(answer, request)


def _require_credential(described: Collection[object]) -> None:
    """Raise `Refused` where the provider refuses the credential for every object.

    The published library shows a screen of its own then, where the customer connects again at once; with an error for
    each object it shows an empty form. Ours asks with the header, and sees by the connection's status what to show.
    https://github.com/amp-labs/react (``HydratedRevisionContext``)
    """
    denied = [each for each in described if isinstance(each, Denied)]
    if denied and len(denied) == len(described):
        raise Refused(Fault(kind="auth", message=denied[0]))


async def _revalidated(answer: HydratedRevision, request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer with a tag of the content, or that it is still what the browser's tags stand for.

    https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
    """
    body = msgspec.json.encode(answer)
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    zipped = takes_gzip(request.headers.get("accept-encoding", ""))
    # Two encodings are two representations, and a strong tag names one.
    headers = REVALIDATED | {"etag": f'"{digest}-gzip"' if zipped else f'"{digest}"'}
    if is_known(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(None, status_code=304, headers=headers)
    if zipped:
        # The lowest level makes a tenth of it in five milliseconds; a higher one takes four times as long for little.
        body = await asyncio.to_thread(gzip.compress, body, compresslevel=1, mtime=0)
        headers |= {"content-encoding": "gzip"}
    return Response(body, media_type="application/json", headers=headers)
