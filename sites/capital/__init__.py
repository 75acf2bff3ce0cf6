"""Capital plans: purchases, financing and their appraisal over scenarios."""
