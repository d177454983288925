"""Findings: what is marked at places of the user's text, with what can be done."""
