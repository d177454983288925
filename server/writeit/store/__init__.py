"""Where runs are kept: LMDB beside the workspace, and its in-memory fake.

Nothing outside this room knows LMDB. `LmdbStore` and `MemoryStore` are the two
adapters of `writeit.ports.Store`; one contract test holds both to it.
"""
