"""Forty markdown files: ten kinds, each in four forms.

In the templates `<<p:…>>` is a paragraph to polish, `i` an item, `c` a cell, and `s` a
heading whose section is polished. Each of them has the mistake `teh`. `@w` stands for
words of the form's script, `@b` for the two spaces of a line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

WRONG, RIGHT = "teh", "the"
_TARGET = re.compile(r"<<(?P<kind>[pics]):(?P<text>.*?)>>", re.DOTALL)
FORMS = {
    "plain": ("river", ("\n",)),
    "crlf": ("🦊 and 👩\u200d👩\u200d👧", ("\r\n",)),
    "mixed": ("川の水は冷たい", ("\n", "\r\n", "\r\n", "\n", "\n")),
    "unended": ("נהר و نهر", ("\n",)),
}
"""By name: words of a script, and line ends in turn."""

YAML = "---\ntitle: '@w: a'\ntags: [a, b]  # two\n---\n"
TOML = '+++\ntitle = "@w"\n# only here\ndraft = true\n+++\n'
JSON = '{\n  "title": "@w",\n  "tags": ["a"]\n}\n\n'
TITLE_BLOCK = "% On @w\n% A. Writer\n% May\n\n"
HEADS: dict[str, tuple[str, str, str, str]] = {
    "blog": (YAML, TOML, JSON, YAML.replace("---\n", "...\n").replace("...", "---", 1)),
    "paper": (TITLE_BLOCK, YAML, TITLE_BLOCK, YAML),
    "obsidian": (YAML, "", YAML, "---\naliases:\n- x\ncssclasses:\n---\n\n"),
    "mkdocs": ("", "---\nhide:\n  - toc\n---\n", "", YAML),
    "quarto": ("---\ntitle: Q\nformat:\n  html: {toc: true}\n---\n", YAML, YAML, YAML),
    "mdx": ("", YAML, "---\nlayout: ../x\n---\n", ""),
    "html": ("", "\n\n" + YAML, "", JSON),
}

TEMPLATES = {
    "readme": """\
<h1 align="center">tool</h1>

[![build](https://example.org/b.svg)](https://example.org) ![x](x.png)

<<p:A tool that reads teh @w and `writes` it,
with teh [manual][m] in two lines.>>

<<s:## Install>>

```sh
pip install teh-tool  # @w
```

Teh usual way. See teh notes.

- one @w
<<i:* teh second list, and *its* @w>>
* more

## Options

Option | What
:-- | --:
`-v` | <<c:says teh most \\| all @w>>
`-q` | nothing

[m]: https://example.org/m "Manual"
""",
    "blog": """\
<<p:We walked along teh @w.@b
It was late, and teh lamps were lit.>>

<!-- more -->

<<s:Second day
----------->>

> Teh guide said: teh @w is near.

1. Bread
2. <<i:Teh map of @w,
   and teh other one>>
3. Water

***

| Day | Weather |
|-----|---------|
| 1   | <<c:teh rain>> |

End of @w.
""",
    "paper": """\
# Introduction {#sec:intro}

<<p:We study teh @w [@key2020, p. 3] with teh formula $a_1 = b^2$.[^n]>>

$$
E = mc^2 \\text{ teh }
$$

<<s:# Results>>

Teh result is in @tbl:one.

Term
:   Teh body of @w.

(a) x

- <<i:Teh first claim[^long]>>
- other

[^n]: A note on teh @w.

[^long]:
    Two paragraphs.

    With indentation.

| x | y |
|---|---|
| <<c:teh $a|b$ free>> | @w |

: Caption {#tbl:one}

::: {.proof}
Trivial.
:::
""",
    "obsidian": """\
# @w

> [!note]- Folded
> <<p:Teh body and [[link|name]]
> of teh callout #tag>>
>
> - in it

%% teh comment
# no heading
%%

<<s:## Tasks>>

Teh list ^block-1

- [ ] <<i:do teh @w 📅 2026-01-01>>
- [x] done

![[embed.png|100]]

## Table

| a | b |
| - | - |
| [[x\\|y]] | <<c:teh ==@w==>> |

$$x$$
""",
    "mkdocs": """\
# Guide

!!! note "Title"

    <<p:Teh admonition has @w
    in teh two lines.>>

    ```py
    x = 1  # teh
    ```

??? tip
    Folded.

=== "Tab"

    Teh tab.

<<s:## Steps { #steps }>>

Teh steps of @w.

1.  First

    <<i:Teh second paragraph of
    teh item>>

2.  Next

| a | b |
|---|---|
| <<c:teh :smile: @w>> | `x` |

*[HTML]: Hyper Text
""",
    "quarto": """\
```{r setup, include=FALSE}
x <- 1  # teh
```

<<p:Teh value is `r x`, and teh plot of @w is in @fig-a.>>

::: {.callout-note}
## Callout

Teh text of the callout.

<<i:- teh item with @w>>
- other
:::

<<s:## Methods>>

Teh method.

```{python}
#| label: fig-a
print("teh @w")
```

|a|b|
|-|-|
|x|<<c:teh @w>>|

{{< include _x.qmd >}}
""",
    "mdx": """\
import { Chart } from '../chart'

export const meta = { title: '@w' }

# Title

<<p:Teh text with {props.value} and teh <Chart year={2} /> of @w.>>

<Tabs>
  <Tab label="x">
    Teh content.
  </Tab>
</Tabs>

<<s:## Usage>>

Teh usage:

```jsx
<Chart>{teh}</Chart>
```

* a
  * <<i:teh inner @w>>
  * b

| prop | type |
| --- | --- |
| `x` | <<c:teh `a \\| b`>> |

{/* comment */}
""",
    "nested": """\
# Nested

- one

  > quoted in an item
  >
  > <<p:Teh @w in a quote in an item,
  > with teh second line.>>

  1. deep
     - deeper

       <<i:Teh paragraph of teh deepest @w>>
- two
\t- with a tab

> > twice quoted
> lazy

<<s:### Only here ###>>

Teh end:

    indented code of teh

> | a | b |
> |---|---|
> | <<c:teh cell>> | @w |
>
> - x
>   continued
""",
    "tables": """\
| left | right |
|:-----|------:|
| <<c:teh **bold** @w>> | a<br>b |
| \\| | `x \\| y` |
|| empty |

<<p:Teh table above has teh @w.>>

a | b
-|-
1 | 2

<<s:## More>>

Teh more tables.

| one |
|-----|
| x   |

- <<i:teh item before a table>>

  | in | item |
  |----|------|
  | x  | @w   |

Last.
""",
    "html": """\
<div align="center">

<<p:Teh *markdown* in a div, and teh @w.>>

</div>

<details>
<summary>Teh summary</summary>

- <<i:teh item<br/>with a break & @w>>

</details>

<!-- teh
## no heading

comment -->

<<s:## After>>

Teh text<sup>1</sup>.

<pre>
teh   pre

</pre>

<p>inline
html</p>

| a | b |
|---|---|
| <<c:teh <kbd>K</kbd> key>> | x |

&copy; @w
""",
}


@dataclass(frozen=True, slots=True)
class MarkdownFile:
    """A file and the places in it that have a mistake."""

    name: str
    text: str
    head: str
    """The front matter, with what is before it."""
    targets: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By kind (`paragraph`, `item`, `cell`, `section`): start and end offset."""


_KINDS = {"p": "paragraph", "i": "item", "c": "cell", "s": "section"}


def markdown_files() -> Iterator[MarkdownFile]:
    """Yield the forty files."""
    for kind, template in TEMPLATES.items():
        for form, head in zip(FORMS, HEADS.get(kind, ("",) * 4), strict=True):
            yield _file(f"{kind}-{form}", template, form, head)


def _file(name: str, template: str, form: str, head: str) -> MarkdownFile:
    words, ends = FORMS[form]
    if form == "mixed":
        head = f"\ufeff{head}"
    if form == "unended":
        template = template.rstrip("\n")
    each = cycle(ends)

    def written(text: str) -> str:
        return re.sub(
            "\n", lambda _: next(each), text.replace("@w", words).replace("@b", "  ")
        )

    head = text = written(head)
    targets, position = {}, 0
    for match in _TARGET.finditer(template):
        text += written(template[position : match.start()])
        start, position = len(text), match.end()
        text += written(match["text"])
        targets[_KINDS[match["kind"]]] = start, len(text)
    return MarkdownFile(name, text + written(template[position:]), head, targets)
