"""Drives runs: asks models, keeps what comes, writes each decision down.

This room is asynchronous and knows the core and the ports, nothing else of ours. It
never touches a document, an editor, a file or a provider directly.
"""
