"""Plain text: lines and tokens, differences, merging, markdown."""
