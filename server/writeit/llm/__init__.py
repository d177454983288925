"""Calls language models through a child process, the model host.

In the server: `client` implements the `Models` port by driving the host, `process` is
the host's process and message format, `keys` reads API keys.

In the model host (`writeit model-host`): `host` reads stdin and writes stdout,
`requests` handles each request, `catalog` and `price_map` know windows and prices,
`concurrency` limits calls per provider, `calls` makes one call: with `parameters`, over
`network`, in `openai_dialect` or `ollama_dialect`, or in `litellm_backend`, the only
module that imports LiteLLM. `answer` is what arrives.

In both: `providers`, `errors` and `provider_messages`.
"""
