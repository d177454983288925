"""The way to language models: a child process that speaks to them, and its client.

client      implements the `Models` port by driving the model host
process     one life of the model host, as the client sees it
answer      one streamed answer on its way to whoever asked
wire        what the two processes say to each other
host        the model host: the child process (`writeit model-host`)
outbox      the host's way out: never blocks, joins what waits
litellm_adapter  the only file that imports LiteLLM
catalog     what LiteLLM's bundled map knows: providers, windows, prices
faults      every failure of a provider as one of the contract's reasons
providers   keys, endpoints and names of providers, without LiteLLM
keys        API keys from the environment and the system keyring
embedded    the embedded model: its weights and whether it can be used
embedded_server  the process that runs it; embedded_runner starts that process
ollama      which models a local Ollama has
scripted    the shipped fake
"""
