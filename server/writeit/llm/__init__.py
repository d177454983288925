"""The way to language models: a child process that speaks to them, and its client.

In the server:

    client      implements the `Models` port by driving the model host
    process     one life of the model host, as the client sees it
    answer      one streamed answer on its way to whoever asked
    keys        API keys from the environment and the system keyring
    scripted    the shipped fakes

Between the two:

    wire        what they say to each other
    embedded    the embedded model: its weights, and whether it can be used
    providers   names, keys and endpoints of providers, without LiteLLM
    faults      every failure as one of the contract's reasons
    scrub       takes keys out of text

In the model host (`writeit model-host`):

    host        its beginning: stdin watched, stdout kept clean
    outbox      its way out: never blocks, joins what waits
    desk        takes requests, runs each as a task
    target      where a call goes, or why it must not
    catalog     what LiteLLM's bundled map knows
    listing     which models there are to choose from
    ollama      which models a local Ollama has, and how much they can read
    lanes       at most so many calls to one provider; runs take turns
    reading     reads a stream: text, end, usage
    surrogates  puts together characters that came in two pieces
    litellm_adapter   the only file that imports LiteLLM
    embedded_runner   starts the embedded model's server

`embedded_server` is that server: a process of its own (`writeit embedded-server`).
"""
