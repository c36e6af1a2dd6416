"""``isthmus init`` and ``isthmus api-keys``."""

import argparse

import msgspec

from server.commands.shell import run, say, settings, spoken
from server.setup import BadName, NewProject, create_key, create_project


def init(parsed: argparse.Namespace) -> None:
    """Make a project and its first key."""
    with spoken(BadName):
        made = run(create_project(settings(), name=parsed.project))
    _show(made, as_json=parsed.json)


def new_key(parsed: argparse.Namespace) -> None:
    """Make another key."""
    made = create_key(settings(), project=parsed.project, label=parsed.label, scope=parsed.scope)
    _show(run(made), as_json=parsed.json)


def _show(made: NewProject, *, as_json: bool) -> None:
    if as_json:
        say(msgspec.json.encode(made).decode())
        return
    say(f"project  {made.project_name}  ({made.project_id})\nAPI key  {made.api_key}  (shown this once)")
