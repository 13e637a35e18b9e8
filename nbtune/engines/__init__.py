"""Where trials are trained: in this process, or in worker processes."""
