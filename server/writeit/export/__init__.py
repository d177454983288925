"""Exports of a run, and the way back.

    article        the finished text, with its provenance
    bundle_writer  a run bundle as plain data and as yaml or json
    bundle_reader  that text read, bounded and checked
    render         a run in one of the formats

The text of an export is not trusted.
"""
