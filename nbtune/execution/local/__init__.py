"""Worker processes on this machine: the kernel's side (`backend`, `warm`), a `supervisor` between, and the `worker`."""
