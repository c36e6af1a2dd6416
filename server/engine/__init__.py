"""What brings due work to a process that does it."""
