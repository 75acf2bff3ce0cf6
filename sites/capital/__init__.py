"""Capital plans: purchases, financing, and their appraisal."""
