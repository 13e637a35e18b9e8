"""A search's life: prepared, planned, shared out, driven, ended. In the kernel.

Imports everything before it but the views; of training nothing.
"""
