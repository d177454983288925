"""What fits here and now: the one list behind code actions and code lenses.

An offer carries all its command needs; the server never remembers what it showed.
Every offer passes `wait: false`: many editors block on a command and give up.

    run        what the state of a run allows
    document   a run to start, a text that waits, a passage that was polished
    binding    front matter for a document that has none
    place      an answer, a passage of it, the merge, the words for the models
"""
