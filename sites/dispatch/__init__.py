"""Dispatch: the hourly problem, the merit order that solves it, a year, and its loss waterfall.

To add a kind of block, in this order:

1. `file/block_tables.py` and `file/site_file.py`: its table in the site file.
2. `model.py`: its class; `file/build_blocks.py` builds it from the table, `file/build.py` puts it into the Site.
3. `dispatch/columns.py`: its kind in KINDS, and a column of Blocks for each value that no column holds yet.
4. `dispatch/problem.py`: its rows and their labels.
5. `dispatch/formulas.py`: its capacity, demand and worth in an hour.
6. `dispatch/kernels/year.py`: only if it keeps a state from hour to hour or has sums of its own, as penalties are; then
   also its monthly peak. `dispatch/kernels/ranking.py`: only if it draws power outside the order of worth, as idle
   power does.
7. `dispatch/waterfall.py`: its steps from nameplate to sold.
8. `scenarios/kernels/`: `paths.block_factors` (which uncertain inputs change it), `tile.fill_table`, and the hours in
   `plain.py` and `coupled.py`.
9. `planners/pypsa_folder.py`: its component in the network; `planners/tables.py`, `plots/palette.py` and the printers
   of `bench`: its unit and its colour, if its product is new.
10. `tests/sites/conftest.py` and `tests/oracles/fleet_numpy.py`: the linear programme and the NumPy engine that check
    the results.
"""
