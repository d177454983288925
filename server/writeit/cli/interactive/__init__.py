"""`writeit run --choose ask`: the same choices as in an editor, in a terminal.

sitting     where the writer is, and the loop: look, choose, carry out
verbs       the words she can type, and when each fits
drafting    a text in her editor, and that it is not lost
deciding    choosing, asking anew, skipping, saying
joining     passages taken, answers merged
looking     answers compared, the prompt, the run
leaving     back to an earlier step, pausing, ending
paragraphs  what can be taken of an answer
"""
