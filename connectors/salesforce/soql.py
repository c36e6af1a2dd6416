"""Query text: how an equality is written in SOQL so that the value stays a value."""

from collections.abc import Sequence
from typing import Any

from connectors.errors import Refused
from connectors.salesforce.addresses import field_list, field_name, object_name
from installations.record import Fault

# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


def literal(value: Any) -> str:
    """Write a JSON scalar as a SOQL literal. Text is always quoted and escaped.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_fieldexpression.htm

    Raises:
        Refused: with kind ``invalid`` if the value is a list or an object.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    raise Refused(Fault(kind="invalid", message="Salesforce looks records up by text, numbers and booleans only"))


def equality(name: str, *, field: str, value: Any, fields: Sequence[str], limit: int) -> str:
    """Write the query for at most ``limit`` records of an object whose field equals the value.

    Raises:
        Refused: if a name cannot be one, or the value cannot be compared.
    """
    where = f"{field_name(field)} = {literal(value)}"
    return f"SELECT {', '.join(field_list(fields))} FROM {object_name(name)} WHERE {where} LIMIT {limit:d}"  # noqa: S608 -- all parts are checked or escaped
