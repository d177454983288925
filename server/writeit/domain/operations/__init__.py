"""What the user can do to a run: each function returns events or refuses."""
