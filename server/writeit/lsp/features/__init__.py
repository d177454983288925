"""What the server answers besides commands: a module for each LSP feature.

`server` registers them and imports a module with its first request.
"""
