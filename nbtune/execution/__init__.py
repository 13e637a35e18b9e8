"""Where tasks run: in this process (`inline`) or in worker processes (`local`); a backend is behind the `protocol`.

Imports jobs and events, and of `training` only what a worker is asked to do.
"""
