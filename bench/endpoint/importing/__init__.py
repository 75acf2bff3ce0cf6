"""Results of other load generators as records: terms are mapped by formula, never by name."""
