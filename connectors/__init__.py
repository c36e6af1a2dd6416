"""Providers, flows and the one way out to the network."""
