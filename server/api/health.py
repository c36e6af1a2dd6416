"""Whether the process lives, and whether it can serve."""

from litestar import get

from server.api.provided import FromApp


@get("/healthz")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@get("/readyz")
async def ready(services: FromApp) -> dict[str, str]:
    """Say that the database takes writes. Raises `Unavailable`."""
    await services.store.ready()
    return {"status": "ready"}
