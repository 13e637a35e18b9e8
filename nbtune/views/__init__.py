"""What people see of a search: pure readers of `nbtune.record`. In the kernel; never anything that trains.

`live` is the clock and `frontend` picks where it shows: a `notebook` or a `terminal`. What they show is made by `headline`,
`table` and `figures`, where each plot is info → figure. `front` is what runs in the browser.
"""
