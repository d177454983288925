"""Prompts: Jinja2 templates, restricted and rendered to what a model is sent.

    template   the restricted language, its limits and filters, and rendering
    validate   the variables a template uses, and those that are not defined
    build      the variables of a run's step, and the prompt made from them

Import this package only when needed: Jinja2 takes long to import.
"""
