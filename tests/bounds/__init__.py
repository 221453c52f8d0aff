"""A checker of the bounds that field arithmetic states; see contracts.py."""
