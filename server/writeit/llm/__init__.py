"""Calls language models through a child process, the model host.

In the server: `client` implements the `Models` port by driving the host, `process` is
the host's process and message format, `keys` reads API keys.

In the model host (`writeit model-host`): `host` reads stdin and writes stdout,
`requests` handles each request, `catalog` knows windows and prices, `concurrency`
limits calls per provider, and `litellm_backend` is the only module that imports
LiteLLM.

In both: `providers` and `errors`.
"""
