"""A run as a file to keep: yaml and json with everything, markdown to read.

    facts     events as facts, without what stands in the run already
    data      a dossier as plain data, and back
    texts     plain data as yaml or json
    parsing   yaml or json as plain data, bounded: it may be somebody else's
    checksum  whether a file is as it was written
    reading   from a text to a dossier, or a refusal that says why
    article   the finished text, with where it came from in its front matter

Only values: nothing is stored, no file is opened.
"""
