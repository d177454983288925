"""Where runs are kept: LMDB beside the workspace, and its in-memory fake.

Nothing outside this room knows LMDB. `LmdbStore`, `UnmadeStore` (which becomes one
with the first write) and `MemoryStore` are the adapters of `writeit.ports.Store`; one
contract test holds all three to it.
"""
