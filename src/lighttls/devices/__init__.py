"""Drivers of real things that are no transport; each is a package of its own, imported where it is used."""
