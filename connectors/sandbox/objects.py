"""The objects every workspace of the sandbox starts with.

They differ in how a create that came before is told, as providers do: contacts by their unique email, companies by an
idempotency key, deals and tickets by an external id that the sender makes up (unique for deals, not for tickets), and
subscriptions by nothing.
"""

from connectors.sandbox.fields import Field, Option, SandboxObject

SYSTEM_FIELDS = (
    Field(name="id", label="Id", type="string", read_only=True),
    Field(name="createdAt", label="Created at", type="datetime", read_only=True),
    Field(name="updatedAt", label="Updated at", type="datetime", read_only=True),
)
EXTERNAL_ID = Field(name="externalId", label="External id", type="string", unique=True, max_length=100)
FREE_EXTERNAL_ID = Field(name="externalId", label="External id", type="string", max_length=100)
"""One that several records may share; it can be filtered by from the moment it is there."""


def _options(*labels: str) -> tuple[Option, ...]:
    return tuple(Option(value=label.lower().replace(" ", "_"), label=label) for label in labels)


def _object(
    name: str, label: str, id_prefix: str, *fields: Field, custom: bool = False, takes_keys: bool = False
) -> SandboxObject:
    by_name = {field.name: field for field in (*SYSTEM_FIELDS, *fields)}
    return SandboxObject(
        name=name, label=label, id_prefix=id_prefix, fields=by_name, custom=custom, takes_keys=takes_keys
    )


ADDRESS = Field(
    name="address",
    label="Address",
    type="object",
    fields=(
        Field(name="street", label="Street", type="string"),
        Field(name="city", label="City", type="string", max_length=100),
        Field(name="postalCode", label="Postal code", type="string", max_length=20),
        Field(name="country", label="Country", type="string", max_length=100),
    ),
)

CONTACTS = _object(
    "contacts",
    "Contacts",
    "con",
    Field(name="email", label="Email", type="email", required=True, unique=True),
    Field(name="firstName", label="First name", type="string", max_length=100),
    Field(name="lastName", label="Last name", type="string", max_length=100),
    Field(name="fullName", label="Full name", type="string", read_only=True, computed=("firstName", "lastName")),
    Field(name="phone", label="Phone", type="string", max_length=40),
    Field(name="jobTitle", label="Job title", type="string"),
    Field(
        name="lifecycleStage",
        label="Lifecycle stage",
        type="select",
        values=_options("Lead", "Prospect", "Customer", "Former customer"),
    ),
    Field(
        name="interests",
        label="Interests",
        type="multi_select",
        values=_options("Product news", "Events", "Training", "Research"),
    ),
    Field(name="birthday", label="Birthday", type="date"),
    Field(name="lastContactedAt", label="Last contacted at", type="datetime"),
    Field(name="score", label="Score", type="integer"),
    Field(name="rating", label="Rating", type="float"),
    Field(name="subscribed", label="Subscribed", type="boolean"),
    Field(name="companyId", label="Company", type="reference", references="companies"),
    ADDRESS,
    Field(name="notes", label="Notes", type="string", max_length=2000),
    Field(
        name="x_tshirtSize",
        label="T-shirt size",
        type="select",
        custom=True,
        values=_options("Small", "Medium", "Large"),
    ),
    EXTERNAL_ID,
)

COMPANIES = _object(
    "companies",
    "Companies",
    "com",
    Field(name="name", label="Name", type="string", required=True),
    Field(name="domain", label="Domain", type="string", unique=True),
    Field(
        name="industry",
        label="Industry",
        type="select",
        values=_options("Energy", "Finance", "Health", "Retail", "Software"),
    ),
    Field(name="employees", label="Employees", type="integer"),
    Field(name="annualRevenue", label="Annual revenue", type="float"),
    ADDRESS,
    EXTERNAL_ID,
    takes_keys=True,
)

DEALS = _object(
    "deals",
    "Deals",
    "deal",
    Field(name="name", label="Name", type="string", required=True),
    Field(
        name="stage",
        label="Stage",
        type="select",
        required=True,
        values=_options("New", "Qualified", "Proposal", "Won", "Lost"),
    ),
    Field(name="amount", label="Amount", type="float"),
    Field(name="currency", label="Currency", type="string", max_length=3),
    Field(name="closeDate", label="Close date", type="date"),
    Field(name="companyId", label="Company", type="reference", references="companies"),
    Field(name="contactId", label="Contact", type="reference", references="contacts"),
    EXTERNAL_ID,
)

TICKETS = _object(
    "tickets",
    "Tickets",
    "tic",
    Field(name="subject", label="Subject", type="string", required=True),
    Field(name="body", label="Body", type="string", max_length=10_000),
    Field(name="status", label="Status", type="select", values=_options("Open", "Waiting", "Solved")),
    Field(name="priority", label="Priority", type="select", values=_options("Low", "Normal", "High")),
    Field(name="dueAt", label="Due at", type="datetime"),
    Field(name="contactId", label="Contact", type="reference", references="contacts"),
    FREE_EXTERNAL_ID,
)

SUBSCRIPTIONS = _object(
    "x_subscriptions",
    "Subscriptions",
    "sub",
    Field(name="plan", label="Plan", type="select", required=True, values=_options("Free", "Team", "Business")),
    Field(name="seats", label="Seats", type="integer"),
    Field(name="monthlyPrice", label="Monthly price", type="float"),
    Field(name="renewsOn", label="Renews on", type="date"),
    Field(name="contactId", label="Contact", type="reference", references="contacts"),
    custom=True,
)

STANDARD_OBJECTS = (CONTACTS, COMPANIES, DEALS, TICKETS, SUBSCRIPTIONS)
"""In the order the API and its documentation list them."""
