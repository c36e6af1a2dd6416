"""Every provider we serve, in one tuple: the sandbox in all its ways to authenticate, then real ones by name."""

from connectors.connector import Connector
from connectors.hubspot.crm import HubSpot
from connectors.salesforce.connector import Salesforce
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES

CATALOG: tuple[Connector, ...] = (
    *(SandboxConnector(provider) for provider in SANDBOXES),
    HubSpot(),
    Salesforce(),
)
"""One line for each provider; a provider's name is unique. The in-memory one is for tests and serves nobody."""
