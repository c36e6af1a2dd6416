"""Every connector there is, in one tuple: the ones for trying out, then real providers by name."""

from connectors.connector import Connector
from connectors.hubspot.crm import HubSpot
from connectors.memory.connector import Memory
from connectors.salesforce.connector import Salesforce
from connectors.sandbox.connector import SandboxConnector

CATALOG: tuple[Connector, ...] = (
    SandboxConnector(),
    Memory(),
    HubSpot(),
    Salesforce(),
)
"""One line for each provider; a provider's name is unique."""

_BY_NAME = {connector.provider.name: connector for connector in CATALOG}


def connector_named(name: str) -> Connector | None:
    """Answer the connector of the provider with this name, if there is one."""
    return _BY_NAME.get(name)
