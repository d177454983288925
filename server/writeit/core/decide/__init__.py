"""From a wish to events: what a command means in the state a run is in, or a refusal.

Each function is one verb of the product. It looks at the run, refuses with a typed
error that says what is allowed, or returns the events that carry the wish out. The
caller commits them together; `writeit.core.machine` has the last word.

    asking    models are asked, again, anew, or to join parts; calls end
    choosing  an answer is chosen, a step skipped
    merging   passages are taken and joined
    remarks   feedback and scores
    applying  a step's text stands in a document, or no longer
    living    a run is paused, resumed, branched, made the active one
    permitted which of these a run and its steps take now, as booleans
"""

from writeit.core.decide.applying import (
    applicable_step_of,
    applied,
    restorable,
    restored,
)
from writeit.core.decide.asking import (
    ask,
    ask_to_merge,
    check_askable,
    check_joinable,
    check_regenerable,
    fail,
    interrupt,
    newest_asked,
    receive,
    regenerate,
    send,
    unmet,
)
from writeit.core.decide.choosing import check_choosable, select, skip
from writeit.core.decide.common import (
    Events,
    answered_step_of,
    busy,
    ended_response_id_of,
    response_id_of,
    step_of,
)
from writeit.core.decide.living import (
    branch,
    check_may_be_active,
    may_be_active,
    pause,
    resume,
)
from writeit.core.decide.merging import Parts, joinable, merge, take
from writeit.core.decide.permitted import (
    RunPermissions,
    StepPermissions,
    permitted_on_run,
    permitted_on_step,
)
from writeit.core.decide.remarks import give_feedback, rate

__all__ = [
    "Events",
    "Parts",
    "RunPermissions",
    "StepPermissions",
    "answered_step_of",
    "applicable_step_of",
    "applied",
    "ask",
    "ask_to_merge",
    "branch",
    "busy",
    "check_askable",
    "check_choosable",
    "check_joinable",
    "check_may_be_active",
    "check_regenerable",
    "ended_response_id_of",
    "fail",
    "give_feedback",
    "interrupt",
    "joinable",
    "may_be_active",
    "merge",
    "newest_asked",
    "pause",
    "permitted_on_run",
    "permitted_on_step",
    "rate",
    "receive",
    "regenerate",
    "response_id_of",
    "restorable",
    "restored",
    "resume",
    "select",
    "send",
    "skip",
    "step_of",
    "take",
    "unmet",
]
