"""The sObjects of the simulated organisation: fields with the properties that describe tells, and record ids.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

import string
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_CHECK = string.ascii_uppercase + "012345"


def long_id(short: str) -> str:
    """Add the three characters that make a 15 character id safe to compare without regard to case.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm#i1435616
    """
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(_CHECK[sum(char.isupper() << place for place, char in enumerate(chunk))] for chunk in chunks)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field."""

    name: str
    type: str = "string"
    label: str = ""
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted_on_create: bool = False
    external_id: bool = False
    unique: bool = False
    length: int = 0
    picklist: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    default: Any = None

    @property
    def required(self) -> bool:
        """Whether a create must give it."""
        return self.createable and not self.nillable and not self.defaulted_on_create

    def described(self) -> Json:
        """Tell it as describe does."""
        values = [(value, True) for value in self.picklist] + [(value, False) for value in self.retired]
        return {
            "name": self.name,
            "label": self.label or self.name,
            "type": self.type,
            "length": self.length,
            "custom": self.name.endswith("__c"),
            "createable": self.createable,
            "updateable": self.updateable,
            "nillable": self.nillable,
            "defaultedOnCreate": self.defaulted_on_create,
            "externalId": self.external_id,
            "unique": self.unique,
            "idLookup": self.external_id or self.type == "id",
            "restrictedPicklist": self.restricted,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
            "picklistValues": [
                {"active": active, "defaultValue": False, "label": value, "validFor": None, "value": value}
                for value, active in values
            ],
        }


@dataclass(frozen=True, kw_only=True)
class SObject:
    """One kind of record."""

    name: str
    prefix: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """Find a field without regard to case."""
        return next((field for field in self.fields if field.name.lower() == name.lower()), None)

    def relationship(self, name: str) -> Field | None:
        """Find the lookup whose relationship has the name."""
        return next((field for field in self.fields if (field.relationship or "").lower() == name.lower()), None)

    def described(self) -> Json:
        """Tell it as describe does."""
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c"),
            "keyPrefix": self.prefix,
            "custom": self.name.endswith("__c"),
            "createable": True,
            "updateable": True,
            "deletable": True,
            "queryable": True,
            "fields": [field.described() for field in self.fields],
        }


def _fixed(name: str, kind: str, *, default: Any = None) -> Field:
    return Field(
        name=name,
        type=kind,
        createable=False,
        updateable=False,
        nillable=False,
        defaulted_on_create=True,
        default=default,
    )


_SYSTEM = (_fixed("Id", "id"), _fixed("CreatedDate", "datetime"), _fixed("IsDeleted", "boolean", default=False))
_EMAIL = Field(name="Email", type="email", length=80)
_PHONE = Field(name="Phone", type="phone", length=40)
_KEY = Field(name="Ext__c", label="External key", length=40, external_id=True, unique=True)
_LAST_NAME = Field(name="LastName", label="Last Name", length=80, nillable=False)

SOBJECTS = (
    SObject(
        name="Account",
        prefix="001",
        fields=(
            *_SYSTEM,
            Field(name="Name", label="Account Name", length=255, nillable=False),
            _PHONE,
            _KEY,
            # An external id that is not unique may match more than one record.
            Field(name="Legacy__c", length=40, external_id=True),
            Field(name="Description", type="textarea", length=32000),
            Field(name="Industry", type="picklist", picklist=("Energy", "Media"), retired=("Steam",), length=255),
            Field(name="Tier__c", type="picklist", picklist=("Gold", "Silver"), restricted=True, length=255),
            Field(name="Tags__c", type="multipicklist", picklist=("a", "b"), length=4099),
            Field(name="NumberOfEmployees", type="int"),
            Field(name="AnnualRevenue", type="currency"),
            Field(name="Active__c", type="boolean", nillable=False, defaulted_on_create=True, default=False),
            Field(name="SLAExpirationDate__c", type="date"),
            Field(name="BillingAddress", type="address", createable=False, updateable=False),
            Field(name="ParentId", type="reference", reference_to=("Account",), relationship="Parent", length=18),
        ),
    ),
    SObject(
        name="Contact",
        prefix="003",
        fields=(
            *_SYSTEM,
            _LAST_NAME,
            Field(name="FirstName", length=40),
            _EMAIL,
            _PHONE,
            Field(name="AccountId", type="reference", reference_to=("Account",), relationship="Account", length=18),
        ),
    ),
    SObject(
        name="Lead",
        prefix="00Q",
        fields=(*_SYSTEM, _LAST_NAME, Field(name="Company", length=255, nillable=False), _EMAIL),
    ),
    SObject(
        name="Project__c",
        prefix="a00",
        fields=(
            *_SYSTEM,
            Field(name="Name", length=80),
            _KEY,
            Field(name="Number__c", type="double", external_id=True, unique=True),
            Field(name="Account__c", type="reference", reference_to=("Account",), relationship="Account__r", length=18),
        ),
    ),
)
