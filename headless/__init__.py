"""Configuration from the customer's side."""
