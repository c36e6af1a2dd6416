"""A provider that lives in memory: every capability, no sockets, for fast tests of whole writes."""
