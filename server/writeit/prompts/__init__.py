"""Prompts: Jinja2 templates in, the exact words a model is sent out.

    language   what a template may be made of, and where in it everything stands
    bounds     what a template may use up, and the filters that keep within it
    fill       a template filled in
    check      every variable a template uses, and those that nothing defines
    compose    the variables of a run's step, and the prompt made from them
    joining    the prompt that joins parts of several answers

Import this lazily: Jinja2 is the most expensive import of the core.
"""
