"""Notes whose front matter says who is asked at each step of the story."""

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
