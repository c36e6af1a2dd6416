"""What handlers are given besides their parameters: the services, and the project the caller may enter."""

from typing import Annotated

from litestar import Request
from litestar.params import Dependency

from server.access.keyring import Access
from server.address import unescape
from server.services import Services

FromApp = Annotated[Services, Dependency(skip_validation=True)]
Entered = Annotated[str, Dependency(skip_validation=True)]
"""The id of the project named in the path, once the caller was found to belong to it."""


def project_id(request: Request[object, object, object], project_id_or_name: str) -> str:  # type: ignore[type-var]
    """Answer the id of the project in the path. Raises `Missing` for any project but the caller's own."""
    access: Access = request.scope["state"]["access"]
    return access.enter(unescape(project_id_or_name))
