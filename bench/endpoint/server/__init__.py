"""What an inference server says of itself: its kind, its counters, and checks of a run against them."""
