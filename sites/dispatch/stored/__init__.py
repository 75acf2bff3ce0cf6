"""The dispatch of a site that has a battery, or blocks with start costs."""
