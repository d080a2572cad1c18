"""Leads in files: which columns there are, what people write into them, and how the files themselves are read."""
