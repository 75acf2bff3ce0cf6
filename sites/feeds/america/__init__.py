"""Market files of North America: ERCOT, PJM, CAISO, MISO, SPP, NYISO and ISO-NE."""
