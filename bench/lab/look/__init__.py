"""What a host sees of itself before anything starts: its load, its meters, its miners."""
