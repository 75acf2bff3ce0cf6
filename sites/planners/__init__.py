"""The output for planners: tables with units, a Data Package, a PyPSA network and series for SAM."""
