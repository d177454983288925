"""Runs, steps and answers as pages of markdown, and edits read back from them.

    uris             the address of each page
    wording          states, reasons, costs and times in words
    escape           text made safe for a line, a table or a code block
    section_markers  the hidden comments around each editable text
    page_outline     headings, and the section that a line belongs to
    editable_page    what the user typed into a page, read back and merged
    run, step, compare, usage   the pages

Everything here is a function of values: nothing is read or sent.
"""
