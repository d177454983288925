"""The language server: the only package that knows the Language Server Protocol.

`tests/lsp/test_start.py` lists what is imported before `initialize` is answered:
`server`, `command_ids`, `pygls_fixes` and pygls. The first request imports the rest.
"""
