"""Runs, sessions and preferences in LMDB, beside the workspace.

Nothing outside of this package knows LMDB. `LmdbStore` implements
`writeit.ports.Store`.
"""
