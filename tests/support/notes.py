"""Notes: with the models of each step of the story; and with nine facts."""

NOTES = """\
---
writeit:
  pipeline: tech-article
  models:
    angles: [openai/say-The+20mill, openai/say-The+20flood]
    outline: openai/echo
    draft: [openai/say-Rivers+20run., openai/say-Water+20moves.]
    polish: openai/say-Rivers+20run+20and+20water+20moves.
---
# Notes on rivers

- A river is moving water.
"""

NINE_FACTS = """\
# Notes on the cache

- Ada Lovelace added the cache in March 2024.
- A request took 120 ms before. It takes 40 ms now.
- 1,200 users read 35 % more pages.
- A reader wrote: "The page is there before I look."
- Switch it on with `cache.enabled`, see https://example.org/cache.
"""
# An article of the nine facts with three errors.
PLANTED = """\
# A faster page

In March 2024, Grace Hopper gave the site a cache. A request of 120 ms takes 45 ms
now.

About 1.2k users read 35 percent more. "The page is there before I look," one wrote.

Set `cache.enabled`; [the documentation](https://example.org/caches) has the rest.
"""
ERRORS = ("Grace Hopper", "45 ms", "https://example.org/caches")
CORRECTED = (
    PLANTED.replace("Grace Hopper", "Ada Lovelace")
    .replace("45 ms", "40 ms")
    .replace("caches", "cache")
)
