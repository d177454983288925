"""Drives runs: calls models, keeps their answers and records each decision.

It is asynchronous and imports only the domain, prompts, text and ports.
"""
