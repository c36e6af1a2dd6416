"""Access tokens, kept fresh: one renewal at a time for a connection, whoever asks and in however many processes."""
