"""Edits of the user's documents and files."""
