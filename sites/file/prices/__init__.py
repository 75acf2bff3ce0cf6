"""The cost of power in a site file: its tables, and the hourly series built from them."""
