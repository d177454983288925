"""The only place that knows the Language Server Protocol.

What is imported before `initialize` is answered is a tested list: `names`, `rpc` and
`server` import pygls and nothing heavy; all else comes with the first command.
"""
