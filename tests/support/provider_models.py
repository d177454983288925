"""The models of the provider: what each name answers.

    echo               answers `Echo: ` and the prompt, word by word
    say-TEXT           answers TEXT (see model_words.py)
    planted            an article with three errors; without, if the prompt names them
    amend-OLD-NEW      answers the passage of the prompt, with NEW instead of OLD
    review[-prose]     JSON with remarks on the text of the prompt [in a fence]
    fast-N             N words as fast as they go
    slow-N             N words, 20 ms apart
    paced-R-N          N words, R a second
    held-N[-NAME]      N words, then nothing until the test says `let_go(MODEL)`
    length-N           N words, then finish_reason `length`
    nousage-N          N words, no usage
    usage-JSON         two words, and this usage (see model_words.py)
    nofinish-N         N words, no finish_reason
    bad-N              N words, then a line that is not JSON
    errin-N            N words, then an error object in the stream
    cut-N              N words, then the line is cut
    filter[-N]         N words (none), then finish_reason `content_filter`
    empty              an answer without any text
    blank              an answer of white space
    same-N             the same word N times
    utf8               multi-byte characters, split between TCP writes
    surrogate          an emoji, its two escapes in two chunks
    err-CODE           an HTTP error; err-CODE-N and err-CODE-dateN add Retry-After
    flaky-K            HTTP 500 K times, then five words
    recovers-K-CODE    HTTP CODE K times, then five words; -N, -dateN as with err
    drip-N             N words, 0.4 s apart, each in single bytes
    huge-N             N million characters
    hang               reads the request and never answers
    hang-after-headers headers, then nothing
    malformed          HTTP 200 whose stream is not JSON
    badtype            HTTP 200 with a page of HTML
    notutf8            HTTP 200 whose stream is not UTF-8

Any other name answers as `echo` does.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable

from support.model_words import unescape
from support.notes import CORRECTED, PLANTED
from support.replies import PROMPT_TOKENS, Reply, framed, pieces_of, sse, words

UTF8_TEXT = "Grüße, 世界! 🦊 naïve façade — ελληνικά; 👩‍👩‍👧‍👦 done."
SURROGATE_TEXT = "A fox: 🦊."
_LINES = re.DOTALL | re.MULTILINE


async def echo(reply: Reply, argument: str) -> None:
    """Answer with the prompt."""
    del argument
    await stream(reply, pieces_of(f"Echo: {reply.call.prompt}"))


async def say(reply: Reply, argument: str) -> None:
    """Answer what the name says."""
    await stream(reply, pieces_of(unescape(argument)))


async def planted(reply: Reply, argument: str) -> None:
    """Answer with errors, until the feedback names them."""
    del argument
    is_told = "not in the notes" in reply.call.prompt
    await stream(reply, pieces_of(CORRECTED if is_told else PLANTED))


async def amend(reply: Reply, argument: str) -> None:
    """Answer with the passage of the prompt, corrected as a copy editor would."""
    old, _, new = argument.partition("-")
    found = re.search(r"^<(passage[-\d]*)>\n(.*?)\n</\1>$", reply.call.prompt, _LINES)
    passage = re.sub(r"\r\n?", "\n", found[2] if found else "")
    for word, other in ((old, new), (old.capitalize(), new.capitalize())):
        passage = passage.replace(word, other)
    await stream(reply, pieces_of(passage))


async def review(reply: Reply, argument: str) -> None:
    """Remark on the longest sentence of the prompt's text, and on doubled words."""
    found = re.search(r"^<(text[-\d]*)>\n(.*?)\n</\1>$", reply.call.prompt, _LINES)
    text = found[2] if found else ""
    sentences = re.findall(r"[^\s#*>-][^.!?\n]*[.!?]", text)
    remarks = [
        {
            "quote": sentence,
            "kind": "long-sentence",
            "remark": f"{len(sentence.split())} words in one sentence.",
            "replacement": None,
        }
        for sentence in sorted(sentences, key=len)[-1:]
    ]
    remarks += [
        {
            "quote": doubled[0],
            "kind": "repetition",
            "remark": f"You wrote “{doubled[1]}” twice.",
            "replacement": doubled[1],
        }
        for doubled in re.finditer(r"\b(\w+) \1\b", text)
    ]
    answer = json.dumps({"remarks": remarks}, ensure_ascii=False)
    wrapped = f"Here are my remarks:\n```json\n{answer}\n```"
    await stream(reply, pieces_of(wrapped if argument == "prose" else answer))


async def stream(reply: Reply, pieces: Iterable[str]) -> None:
    """Stream `pieces` and end well."""
    await reply.head()
    for piece in pieces:
        await reply.word(piece)
    await reply.end()


async def fast(reply: Reply, argument: str) -> None:
    """N words, twenty to a write."""
    await reply.head()
    pieces = words(int(argument))
    for start in range(0, len(pieces), 20):
        batch = pieces[start : start + 20]
        reply.writer.writelines(
            framed(reply.event({"content": piece})) for piece in batch
        )
        reply.counted(len(batch))
        await reply.writer.drain()
    await reply.end()


async def slow(reply: Reply, argument: str) -> None:
    """N words, 20 ms apart."""
    await reply.head()
    for piece in words(int(argument)):
        await reply.word(piece)
        await asyncio.sleep(0.02)
    await reply.end()


async def paced(reply: Reply, argument: str) -> None:
    """N words, R a second; a word that is late does not delay the next."""
    rate, _, count = argument.partition("-")
    await reply.head()
    began = time.monotonic()
    for number, piece in enumerate(words(int(count)), 1):
        await reply.word(piece)
        await asyncio.sleep(max(0.0, began + number / int(rate) - time.monotonic()))
    await reply.end()


async def drip(reply: Reply, argument: str) -> None:
    """N words, slowly and byte by byte."""
    await reply.head()
    for piece in words(int(argument)):
        for byte in reply.event({"content": piece}):
            await reply.chunk(bytes([byte]))
        reply.counted()
        await asyncio.sleep(0.4)
    await reply.end()


async def huge(reply: Reply, argument: str) -> None:
    """N million characters, 50,000 a delta."""
    await reply.head()
    data = framed(reply.event({"content": "0123456789" * 5_000}))
    for _ in range(int(argument) * 20):
        await reply.raw(data)
        reply.counted()
    await reply.end()


async def length(reply: Reply, argument: str) -> None:
    """N words, then the limit."""
    await some(reply, argument)
    await reply.end("length")


async def nousage(reply: Reply, argument: str) -> None:
    """N words and no usage."""
    await some(reply, argument)
    await reply.end(usage=False)


async def usage(reply: Reply, argument: str) -> None:
    """Two words, and the usage that the escaped JSON says."""
    await some(reply, "2")
    counts = json.loads(unescape(argument))
    await reply.end(counts=counts)


async def nofinish(reply: Reply, argument: str) -> None:
    """N words and no reason to finish."""
    await some(reply, argument)
    await reply.end(None)


async def some(reply: Reply, argument: str) -> None:
    """N words without an end."""
    await reply.head()
    for piece in words(int(argument or 0)):
        await reply.word(piece)


async def bad(reply: Reply, argument: str) -> None:
    """N words, then nonsense."""
    await some(reply, argument)
    await reply.chunk(b'data: {"choices": [{"delta": {"con\n\n')
    await reply.end()


async def errin(reply: Reply, argument: str) -> None:
    """N words, then an error in the stream."""
    await some(reply, argument)
    error = {"message": "the engine is overloaded", "type": "server_error"}
    await reply.chunk(sse({"error": error}))
    await reply.end()


async def cut(reply: Reply, argument: str) -> None:
    """N words, then a cut."""
    await some(reply, argument)
    await asyncio.sleep(0.05)  # let the words arrive: a reset would overtake them
    reply.writer.transport.abort()


async def content_filter(reply: Reply, argument: str) -> None:
    """N words, then the content filter."""
    await some(reply, argument)
    await reply.end("content_filter")


async def empty(reply: Reply, argument: str) -> None:
    """Nothing at all."""
    await some(reply, argument)
    await reply.end()


async def blank(reply: Reply, argument: str) -> None:
    """White space only."""
    del argument
    await stream(reply, ["\n", " \n"])


async def same(reply: Reply, argument: str) -> None:
    """One word again and again."""
    await stream(reply, ["again "] * int(argument))


async def utf8(reply: Reply, argument: str) -> None:
    """Multi-byte characters cut in two between writes."""
    del argument
    await reply.head()
    for start in range(0, len(UTF8_TEXT), 3):
        data = reply.event({"content": UTF8_TEXT[start : start + 3]})
        for at in range(0, len(data), 7):
            await reply.chunk(data[at : at + 7])
            await asyncio.sleep(0)
        reply.counted()
    await reply.end()


async def surrogate(reply: Reply, argument: str) -> None:
    """An emoji whose two escapes come in two chunks."""
    del argument
    await reply.head()
    template = reply.event({"content": "@"})
    for piece in (rb"A fox: \ud83e", rb"\udd8a", rb"."):
        await reply.chunk(template.replace(b"@", piece))
        reply.counted()
    await reply.end()


async def err(reply: Reply, argument: str) -> None:
    """An HTTP error that repeats the key it was given, as some providers do."""
    code, _, after = argument.partition("-")
    if after.startswith("date"):
        moment = time.time() + float(after.removeprefix("date"))
        after = email.utils.formatdate(moment, usegmt=True)
    key = reply.call.headers.get("authorization", "").removeprefix("Bearer ")
    error = {"message": f"boom for {key}", "type": "x", "code": "c"}
    headers = [f"retry-after: {after}"] if after else []
    await reply.whole(int(code), {"error": error}, headers)


async def hang(reply: Reply, argument: str) -> None:
    """Never answer, or never after the headers."""
    if argument == "after-headers":
        await reply.head()
    await asyncio.Event().wait()


async def malformed(reply: Reply, argument: str) -> None:
    """A stream that is not JSON."""
    del argument
    await reply.head()
    await reply.chunk(b"data: {this is not JSON}\n\n")
    await reply.end()


async def badtype(reply: Reply, argument: str) -> None:
    """A page where a stream was expected."""
    del argument
    page = b"<html><body>Welcome to the hotel's network</body></html>"
    await reply.head(200, [f"content-length: {len(page)}"], "text/html")
    await reply.raw(page)


async def notutf8(reply: Reply, argument: str) -> None:
    """A stream that is not UTF-8."""
    del argument
    await reply.head()
    await reply.chunk(reply.event({"content": "@"}).replace(b"@", b"\xff\xfe\x80"))
    await reply.end()


async def ollama_chat(reply: Reply) -> None:
    """Answer as Ollama does: a JSON object a line."""
    await reply.head(content_type="application/x-ndjson")
    pieces = words(3)
    for piece in pieces:
        message = {"role": "assistant", "content": piece}
        line = {"model": reply.call.model, "message": message, "done": False}
        await reply.chunk(json.dumps(line).encode() + b"\n")
        reply.counted()
    last = {
        "model": reply.call.model,
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": PROMPT_TOKENS,
        "eval_count": len(pieces),
    }
    await reply.raw(framed(json.dumps(last).encode() + b"\n") + b"0\r\n\r\n")


BEHAVIOURS: dict[str, Callable[[Reply, str], Awaitable[None]]] = {
    "badtype": badtype,
    "bad": bad,
    "blank": blank,
    "cut": cut,
    "drip": drip,
    "echo": echo,
    "empty": empty,
    "err": err,
    "errin": errin,
    "fast": fast,
    "filter": content_filter,
    "hang": hang,
    "huge": huge,
    "length": length,
    "malformed": malformed,
    "nofinish": nofinish,
    "notutf8": notutf8,
    "nousage": nousage,
    "usage": usage,
    "paced": paced,
    "review": review,
    "same": same,
    "say": say,
    "amend": amend,
    "planted": planted,
    "slow": slow,
    "surrogate": surrogate,
    "utf8": utf8,
}
