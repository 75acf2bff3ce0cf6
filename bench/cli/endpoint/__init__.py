"""`perwatt endpoint`: results of other load generators."""
