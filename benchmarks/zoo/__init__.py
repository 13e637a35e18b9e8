"""Sixteen architectures as people train them, each with a grid of twelve trials: `make bench-zoo`."""
