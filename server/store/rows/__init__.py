"""The store over SQL, one module for each noun: queries, and how rows become structs."""
