"""Pipelines, primers and front matter: found, read, and validated with exact ranges.

    catalog              all pipelines and primers within reach
    pipelines            one pipeline or primer file
    front_matter         the `writeit:` block of a document
    front_matter_guard   keys of that block which could not be read
    table_source         TOML and JSON front matter, read as YAML
    front_matter_writer  that block, inserted or completed
    yaml_source          YAML with the ranges of its nodes, bounded
    yaml_cursor          keys and values of YAML that is being typed
    validation           from YAML to an entity
    user_config          the user's own configuration

Only this package and `export` read YAML. Problems in a file are returned, not raised.
"""
