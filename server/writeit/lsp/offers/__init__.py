"""What fits here and now: the one list behind code actions and code lenses.

An offer carries all its command needs; the server never remembers what it showed.
Every offer passes `wait: false`: many editors block on a command and give up.

    run        what the state of a run allows
    document   a run to start, a text that waits, a passage that was polished
    binding    front matter for a document that has none
    place      an answer, a passage of it, the merge, the words for the models
"""

from writeit.lsp.offers.binding import to_bind
from writeit.lsp.offers.document import on_polish, to_install, to_land, to_start
from writeit.lsp.offers.offer import Offer
from writeit.lsp.offers.place import at_section, at_step, to_take
from writeit.lsp.offers.run import on_run, to_go_on, to_visit

__all__ = [
    "Offer",
    "at_section",
    "at_step",
    "on_polish",
    "on_run",
    "to_bind",
    "to_go_on",
    "to_install",
    "to_land",
    "to_start",
    "to_take",
    "to_visit",
]
