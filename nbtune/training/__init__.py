"""How trials are trained: the only part that imports Keras. In workers; in the kernel only where a user asks for a model.

Imports what was asked, the data, and the record. The events that a trial emits are all that leaves it.
"""
