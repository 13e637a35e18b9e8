"""What is known of a search and kept on disk: events, progress, the project. In the kernel; events and jobs travel; never Keras.

Imports what was asked, and the data.
"""
