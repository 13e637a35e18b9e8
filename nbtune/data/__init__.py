"""The user's data: read, split, fingerprinted, written for the workers. In the kernel, and read by workers; never Keras.

Imports what was asked.
"""
