"""The same grids for nbtune and for others: `make bench`."""
