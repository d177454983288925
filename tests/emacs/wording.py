"""Every text of the server that the Emacs tests wait for.

Texts with `{}` are formatted by the tests.
Actions are regular expressions that match the start of a title.
"""

# Actions
START = "Start tech-article"
GENERATE = "Generate {}"
OPEN_STEP = "Open the step {}"
CHOOSE_THIS = "Choose this answer"
CHOOSE_THIS_NUMBER = r"Choose this answer \(answer {}\)"
CHOOSE_NUMBER = "Choose answer {} for {}"
REGENERATE = "Regenerate with feedback"
ADD_TO_MERGE = "Add to merge"
USE_MERGE = "Use the merge$"
APPLY = "Apply the text"
POLISH = "Polish this passage$"
RESTORE_POLISH = "Undo the last polish"

# Titles in full
START_PREFIX = "WriteIt: Start "
POLISH_SECTION = "WriteIt: Polish this passage (this section)"
CHOOSE_TITLE = "WriteIt: Choose answer 1 for angles ({}: {})"

# Messages
STARTED = "Started tech-article"
GENERATING = "Generating {}"
ANSWERS = "{} has {} answer"
CHOSEN = "chosen for {}"
NUMBER_CHOSEN = "Answer {} chosen for {}"
ADDED_TO_MERGE = "Added to the merge of {}: it has {} passage"
MERGED = "Merge used for {}"
LAST_STEP = "All steps are done"
APPLIED = "The text of polish was written to rivers.tech-article.md"
INSERTED = "was inserted in"
RESTORED = "Restored"
MOVE_RUNS = "Move the runs of {} here"
MOVED = "1 run of {} moved to {}"
EDIT_REFUSED = "require version"

# Pages
NOT_STARTED = "Not generated yet."
NUMBER_IS_CHOSEN = "**You chose answer {}.**"
PASSAGE = "{}. answer "
