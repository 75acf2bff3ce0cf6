"""A lab run: which measurements may start, the loop that starts and collects them, and Dask, which pins them."""
