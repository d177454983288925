"""The markdown surface: runs, steps and answers as text a writer enjoys reading.

    uris      the address of each view, and its file for editors that need files
    words     states, reasons, costs and times in plain words
    markdown  any text made safe for the place it stands in
    markers   the invisible lines between which a text stands as it is
    edits     what the writer typed in a view, read back
    symbols   headings, and what a line belongs to
    run, tree, step, answers, response, compare, prompt, usage   the views

Everything here is a function of values: nothing is read, nothing is sent.
"""
