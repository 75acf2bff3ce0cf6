"""What the levers of all miners share."""
