"""Providers on loopback: real HTTP servers that answer as the real ones do."""
