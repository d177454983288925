"""Runs, sessions and preferences in LMDB; `LmdbStore` implements the port `Store`.

No other package imports lmdb.
"""
