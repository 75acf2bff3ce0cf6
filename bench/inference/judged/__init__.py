"""How wrong the model is on rows that it was not fitted on, by class, and the interval that follows."""
