"""What a run, a pipeline and a primer are, and what may happen to them.

This room is pure: no clock, no network, no files, no event loop. It imports the
standard library and pydantic (jinja2 in `prompt` alone) and nothing of ours.
"""
