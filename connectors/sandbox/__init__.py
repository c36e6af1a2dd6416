"""A sandbox CRM: a real HTTP server, and the connector that speaks to it."""
