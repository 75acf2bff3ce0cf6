"""Many units of one device model: their spread, outliers and drift, and the mean that a site of such units takes."""
