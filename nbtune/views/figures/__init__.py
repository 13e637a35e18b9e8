"""Charts: a function that returns what is to be seen, and one that draws it."""
