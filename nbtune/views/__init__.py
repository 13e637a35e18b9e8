"""What people see of a search: pure readers of `nbtune.progress.Progress`.

`live` is the clock and `frontend` picks where it shows; `panel`, `notebook` and `terminal` are those places. What they
show is made by `headline`, `picture` (of `curves` and `gridmap`) and `table`. Each plot is info → figure.
"""
