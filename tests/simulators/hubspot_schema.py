"""The properties of the simulated HubSpot account, and which values each takes."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Json = dict[str, Any]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of an object type."""

    name: str
    type: str = "string"
    field_type: str = "text"
    options: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    unique: bool = False
    calculated: bool = False
    read_only: bool = False
    custom: bool = False
    reference: str | None = None

    def as_json(self) -> Json:
        """The property as ``/crm/v3/properties`` shows it."""
        body: Json = {
            "name": self.name,
            "label": self.name.replace("_", " ").capitalize(),
            "type": self.type,
            "fieldType": self.field_type,
            "description": "",
            "groupName": "information",
            "options": [
                {"label": o.capitalize(), "value": o, "hidden": o in self.hidden, "displayOrder": i, "description": ""}
                for i, o in enumerate(self.options)
            ],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.reference is not None,
            "archived": False,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "formField": True,
            "modificationMetadata": {
                "archivable": self.custom,
                "readOnlyDefinition": not self.custom,
                "readOnlyOptions": False,
                "readOnlyValue": self.read_only,
            },
        }
        return body | ({"hubspotDefined": True} if not self.custom else {}) | self._reference()

    def _reference(self) -> Json:
        return {"referencedObjectType": self.reference} if self.reference else {}

    def problem(self, value: str) -> tuple[str, str] | None:
        """Message and code of what is wrong with a value."""
        if self.calculated or self.read_only:
            return f'"{self.name}" is a read only property; its value cannot be set.', "READ_ONLY_VALUE"
        if value == "":
            return None
        if self.name == "email" and not EMAIL.fullmatch(value):
            return f"Email address {value} is invalid", "INVALID_EMAIL"
        if self.type == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return f"{value} was not a valid number.", "INVALID_DOUBLE"
        if self.type in {"date", "datetime"} and not _is_moment(value, type_=self.type):
            return f"{value} was not a valid {self.type}.", f"INVALID_{self.type.upper()}"
        return self._option_problem(value)

    def _option_problem(self, value: str) -> tuple[str, str] | None:
        many = self.field_type == "checkbox"
        for chosen in value.split(";") if many else [value]:
            if self.options and chosen not in self.options:
                return f"{chosen} was not one of the allowed options: [{', '.join(self.options)}]", "INVALID_OPTION"
        return None


def _is_moment(value: str, *, type_: str) -> bool:
    if value.isdigit():
        return True  # Milliseconds of the epoch.
    try:
        parsed = date.fromisoformat(value) if type_ == "date" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return bool(parsed)


OWN = (
    Property(name="createdate", type="datetime", field_type="date", read_only=True),
    Property(name="hs_lastmodifieddate", type="datetime", field_type="date", read_only=True),
    Property(name="hs_object_id", type="number", field_type="number", read_only=True, unique=True),
    Property(name="external_id", unique=True, custom=True),
    Property(name="hubspot_owner_id", type="enumeration", field_type="select", reference="OWNER"),
)
CONTACT = (
    Property(name="email", unique=True),
    Property(name="firstname"),
    Property(name="lastname"),
    Property(name="phone", type="phone_number", field_type="phonenumber"),
    Property(
        name="lifecyclestage",
        type="enumeration",
        field_type="radio",
        options=("lead", "customer", "legacy"),
        hidden=frozenset({"legacy"}),
    ),
    Property(
        name="flavours",
        type="enumeration",
        field_type="checkbox",
        options=("vanilla", "mint", "lemon"),
        custom=True,
    ),
    Property(name="age", type="number", field_type="number", custom=True),
    Property(name="newsletter", type="bool", field_type="booleancheckbox", options=("true", "false"), custom=True),
    Property(name="birthday", type="date", field_type="date", custom=True),
    Property(name="last_seen", type="datetime", field_type="date", custom=True),
    Property(name="hubspotscore", type="number", field_type="number", calculated=True),
    Property(name="customSource", custom=True),
)
COMPANY = (Property(name="name"), Property(name="domain"), Property(name="city"))
DEAL = (
    Property(name="dealname"),
    Property(name="amount", type="number", field_type="number"),
    Property(name="closedate", type="datetime", field_type="date"),
    Property(name="dealstage", type="enumeration", field_type="radio", options=("open", "closedwon")),
)
CAR = (
    Property(name="model", custom=True),
    Property(name="vin", unique=True, custom=True),
    Property(name="year", type="number", field_type="number", custom=True),
)
LEAD = (
    Property(name="hs_lead_name"),
    Property(name="hs_lead_label", type="enumeration", field_type="select", options=("HOT", "WARM", "COLD")),
    Property(name="myCustomSource", custom=True),
    Property(name="seats", type="number", field_type="number", custom=True),
    Property(name="newsletter", type="bool", field_type="booleancheckbox", options=("true", "false"), custom=True),
)
