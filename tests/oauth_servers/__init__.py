"""OAuth 2 servers written by others, as real processes on loopback, and customers who log in there."""
