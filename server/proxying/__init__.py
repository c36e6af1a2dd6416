"""Calls to a provider that are passed through with the customer's credentials on them."""
