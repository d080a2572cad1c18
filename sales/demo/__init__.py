"""Demo data: a year in the life of a charter-bus company, the same for the same day (`manage.py load_demo`).

`people`, `sources`, `places`, `trip_kinds` and `trips` describe the company and its clients. `inquiries` creates a
lead; `sale_course` and `scripts` decide what happens to it, and `lead_history` records this as Athena would have done.
`generator` writes everything into an empty database, and `copies` multiplies it for benchmarks. `context` is what all
leads share.
"""
