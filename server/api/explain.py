"""Explaining a write without sending it: the very plan that would be sent, with the fate of each field."""

from litestar import Request, post
from litestar.params import FromPath

from installations.explain import Explanation, explain
from installations.record import WriteRequest
from server.access.guards import requires_full_key
from server.api.bodies import parse_body
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape


@post(
    "/v1/projects/{project_id_or_name:str}/integrations/{integration_id_or_name:str}/objects/{object_name:str}/:explain",
    status_code=200,
    opt=takes(WriteRequest),
    guards=[requires_full_key],
)
async def explain_write(
    request: Request[object, object, object],  # type: ignore[type-var]
    services: FromApp,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    object_name: FromPath[str],
) -> Explanation:
    """Answer what a write would send and why. The body is that of a write; only current records are read.

    Raises `InvalidInput` and `NotFound` just as the write would, and `ConnectorError` where a rule needs the current
    record and the provider cannot be asked.
    """
    wanted = parse_body(await request.body(), WriteRequest)
    accepted = await services.deliveries.accept(
        project_id, unescape(integration_id_or_name), unescape(object_name), wanted
    )
    return explain(accepted.plan, await services.deliveries.current(accepted))
