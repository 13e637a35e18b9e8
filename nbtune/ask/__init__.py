"""What was asked: options and their values, the function, the labels, the space. Any process; never Keras.

Imports `errors` and `machine` alone.
"""
