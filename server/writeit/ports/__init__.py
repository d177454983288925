"""The interfaces that the engine needs: models, a store, keys, a clock, processes.

Their implementations are in `llm`, `storage` and `app`.
"""
