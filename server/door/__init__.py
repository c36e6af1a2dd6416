"""What every request passes before a handler sees it: hosts, heads, limits, CORS, addresses."""
