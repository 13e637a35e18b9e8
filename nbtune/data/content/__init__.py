"""A hash of everything that can be reached from a thing, by value: equal in another process, with another hash seed.

`nodes` says what a thing is made of (`objects`, `code`, `modules`, `keras` have the rules), `graph` makes a hash of it.
"""
