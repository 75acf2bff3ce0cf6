"""Section 5 of the page: the sites, their scenarios, and the same site filled with one device type."""
