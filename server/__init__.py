"""The HTTP API, the store, access and deliveries: I/O and wiring."""
