"""The provider catalog over HTTP; it needs no credential, because it is the same for everybody."""

from litestar import get
from litestar.params import FromPath
from msgspec.structs import replace

from connectors.provider import Provider
from installations.errors import NotFound
from server.api.provided import FromApp
from server.door.address import unescape


@get("/v1/providers")
async def list_providers(services: FromApp) -> dict[str, Provider]:
    """List every provider by name, and how customers are connected to it."""
    return services.accounts.providers


@get("/v1/providers/{provider:str}")
async def get_provider(services: FromApp, provider: FromPath[str]) -> Provider:
    """Show a provider, and how customers are connected to it. Raises `NotFound`."""
    try:
        return services.accounts.connector(unescape(provider)).provider
    except NotFound as error:
        issues = (replace(issue, path="path.provider", remedy="See GET /v1/providers.") for issue in error.issues)
        raise NotFound(issues) from error
