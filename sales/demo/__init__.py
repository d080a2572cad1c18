"""Demo data: a year in the life of a charter-bus company, the same for the same day (`manage.py load_demo`).

`people`, `sources`, `places` and `trips` are what the company deals with, `story` tells what became of one lead, and
`build` writes it all into an empty database.
"""
