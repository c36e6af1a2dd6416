"""The site's settings. They come from the environment, so that each process has its own.

``TOOLKIT_FOLDER`` holds the database, ``TOOLKIT_GRACE`` are the seconds in which a rotated refresh token still answers,
``TOOLKIT_SEVERS_OPENERS=1`` makes pages cut themselves off from the window that opened them.
"""

import os
import secrets
from pathlib import Path
from typing import Any

from tests.oauth_servers.toolkit.facts import token_life

SECRET_KEY = secrets.token_hex()
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.oauth_servers.toolkit.urls"
LOGIN_URL = "/login/"
USE_TZ = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""A hash that is slow by design would be most of what a test waits for."""
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"]
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions", "oauth2_provider"))
"""Tables straight from the models: a hundred migrations would take seconds at each start."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tests.oauth_servers.toolkit.facts.counted",
]
if os.environ.get("TOOLKIT_SEVERS_OPENERS"):
    # It sends Cross-Origin-Opener-Policy: same-origin, as Django's own starting project does.
    MIDDLEWARE.insert(0, "django.middleware.security.SecurityMiddleware")

_LOGIN = """<!doctype html><html lang="en"><title>Log in</title><h1>Log in</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<button type="submit">Log in</button></form></html>"""
# The toolkit's own frame loads a style sheet from a public address.
_FRAME = '<!doctype html><html lang="en"><title>Allow access</title>{% block content %}{% endblock %}</html>'
_PAGES = {"registration/login.html": _LOGIN, "oauth2_provider/base.html": _FRAME}

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                ("django.template.loaders.locmem.Loader", _PAGES),
                "django.template.loaders.app_directories.Loader",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    }
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["TOOLKIT_FOLDER"]) / "toolkit.sqlite",
        "OPTIONS": {
            # Requests that come together wait for each other instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
        },
    }
}
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_GENERATOR": "tests.oauth_servers.toolkit.facts.recognisable",
    "REFRESH_TOKEN_GENERATOR": "tests.oauth_servers.toolkit.facts.recognisable",
    "PKCE_REQUIRED": True,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": int(os.environ.get("TOOLKIT_GRACE", "0")),
    "EXTRA_SERVER_KWARGS": {"token_expires_in": token_life},
    "SCOPES": {"contacts.read": "Read contacts", "contacts.write": "Change contacts"},
}
