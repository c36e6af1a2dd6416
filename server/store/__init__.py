"""The store: contract, databases, and secrets at rest."""
