"""Pipelines, primers and front matter: found, read, and every mistake placed.

    problem      a problem and its range
    source       YAML with its places, bounded
    validate     from YAML to an entity, refusals placed
    pipelines    one pipeline file; `templates` places what is inside its prompts
    primers      one primer file
    folders      where files are looked for, nearest first
    shelves      all of them, the nearest of each name
    frontmatter  the `writeit:` block of a markdown text
    checking     that block held against the library
    outline      keys and words of YAML that is being typed
    markdown     what is read out of a markdown text
    schema       the two file formats as JSON Schema

The only room, with `export`, that knows YAML. It never raises for what a file holds:
it returns what could be read, and the problems.
"""
