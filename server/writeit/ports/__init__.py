"""What the engine needs from the world: models, a store, keys, a clock.

These are Protocols; their real adapters and their fakes live in `models/` and
`store/`, and one contract test holds each pair to the same behaviour.
"""
