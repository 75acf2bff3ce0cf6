"""The horizon of a site file: its tables, the services of its blocks, and its forward curves."""
