"""`writeit run --choose ask`: choose the answers of each step in a terminal."""
