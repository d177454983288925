"""Runs, pipelines and style primers, and what may happen to them.

No clock, network, files or event loop: only the standard library, pydantic and `text`.
"""
