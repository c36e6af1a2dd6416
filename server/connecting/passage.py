"""What is remembered of a customer on the way: who, to which provider, asked by which page. Stored sealed, for minutes.

What opens a stage is 256 bits that only a digest is kept of: the link's ticket, then the state that the provider sends
back, then the completion code. Each is made for one purpose and worth nothing for another.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from connectors.secret import Secret, decode_secret, encode_secret
from installations.installation import MetadataValue
from server.accounts import account_values
from server.store.contract import ConnectSession

LIFE = timedelta(minutes=10)
"""How long a link waits to be opened, and then how long the customer may take at the provider."""
COMPLETION_LIFE = timedelta(minutes=2)
"""How long a consent waits for the page that started it. The provider's own code lives hardly longer."""
_BYTES = 32

Purpose = Literal["ticket", "state", "completion", "browser"]


class Direct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="oauth", tag_field="kind"):
    """The authorization code grant."""

    redirect_uri: str
    """As it was sent; the exchange repeats it to the letter."""
    strict: bool = False
    """The page that asked has to finish, before any token is had."""
    connection_id: str | None = None
    """The one connection to be healed."""
    verifier: Secret | None = None
    code: Secret | None = None
    """The provider's code, while a strict flow waits."""


class Stepwise(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="custom", tag_field="kind"):
    """A custom scheme whose customers go to the provider and come back with parameters."""

    state: Secret
    """Opens the stage after the link; the asking client calls it ``sessionId``."""
    inputs: dict[str, Secret]
    brought: dict[str, Secret] = msgspec.field(default_factory=dict)
    """What the customer came back with."""


Way: TypeAlias = Direct | Stepwise


class Customer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Whose account it is, and at which provider."""

    provider: str
    group_ref: str
    consumer_ref: str
    group_name: str | UnsetType = UNSET
    consumer_name: str | UnsetType = UNSET
    workspace_ref: str | UnsetType = UNSET
    metadata: dict[str, MetadataValue] = msgspec.field(default_factory=dict)
    provider_app_id: str | None = None

    def is_one(self, group_ref: str | None, consumer_ref: str | None) -> bool:
        """Tell whether somebody else speaks of this customer; ``None`` speaks of everybody."""
        return group_ref in (None, self.group_ref) and consumer_ref in (None, self.consumer_ref)

    @property
    def shown_group(self) -> str:
        """The group's name, or its reference."""
        return self.group_name or self.group_ref


class Pages(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which pages have to do with it."""

    origin: str = ""
    """Of the page that asked for the link; empty where a server did."""
    is_known: bool = False
    """The project lists that page, or a key that is kept on a server answers for it."""
    targets: tuple[str, ...] = ()
    """The only origins that may learn how it ended."""
    return_url: str = ""
    """Where the customer goes on in a window that no page of the product opened."""


class Passage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything about one customer's way."""

    customer: Customer
    pages: Pages
    way: Way


def values_of(customer: Customer) -> dict[str, str]:
    """Answer what fills a provider's placeholders."""
    return account_values(workspace_ref=customer.workspace_ref, metadata=customer.metadata)


_DECODER = msgspec.json.Decoder(Passage, dec_hook=decode_secret)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_secret)


def build_details(passage: Passage) -> bytes:
    """Encode in plain text; the store seals it."""
    return _ENCODER.encode(passage)


def passage_of(session: ConnectSession) -> Passage:
    """Read what `build_details` made."""
    return _DECODER.decode(session.details)


def new_key() -> Secret:
    """Draw 256 bits that open a stage."""
    return Secret(secrets.token_urlsafe(_BYTES))


def key_digest(purpose: Purpose, key: str) -> bytes:
    """Answer what is kept of a key. A ticket is never good for a state, nor the other way round."""
    return hashlib.sha256(f"{purpose}:{key}".encode("utf-8", "replace")).digest()
