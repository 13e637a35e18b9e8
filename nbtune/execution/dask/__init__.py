"""Workers of a Dask cluster: the kernel's side (`cluster`, `connection`, `parcel`), and what runs in each Dask worker (`host`).

The Dask workers train nothing themselves: each has a local backend with one worker process. Dask's scheduler says which task
goes where. Imported only when `--dask` is given.
"""
