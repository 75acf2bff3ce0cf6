"""The [battery] table of a site file, and the keys of blocks with start costs."""
