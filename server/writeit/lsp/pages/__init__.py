"""Views as pages: rendered, opened, kept up to date, and read for user edits."""
