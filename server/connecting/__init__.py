"""How customers give access: from the link we hand out, by way of the provider, to a connection."""
