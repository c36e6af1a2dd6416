"""Serves the site on a port of the kernel's and says where: ``python -m tests.oauth_servers.toolkit.serve``."""

import os

import django
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

_WAITING = 200
"""Connections that may wait; Django's ten are few for a hundred requests at once."""


def serve() -> None:
    """Make the tables and two people, then serve until killed."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.oauth_servers.toolkit.settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    _add_people()
    ThreadedWSGIServer.request_queue_size = _WAITING
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 -- how it is found
    server.serve_forever()


def _add_people() -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415 -- models exist once Django is set up

    for name in ("alice", "bob"):
        User.objects.create_user(name, password="password")


if __name__ == "__main__":
    serve()
