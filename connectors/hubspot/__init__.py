"""HubSpot's CRM: objects v3 with batches, upserts, properties and schemas, as flows."""
