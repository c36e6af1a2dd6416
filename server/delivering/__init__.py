"""A write on its way: accepted, attempted, settled, and what becomes of it when something dies."""
