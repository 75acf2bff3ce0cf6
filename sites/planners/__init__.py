"""The output contract: tables with units, a Data Package, a PyPSA folder and a series for SAM."""
