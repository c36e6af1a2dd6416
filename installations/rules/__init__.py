"""The rules of the write pipeline: one noun, one pure function each."""
