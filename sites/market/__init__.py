"""What hashes and tokens earn: the Bitcoin network, mining yield, token rates, device rates."""
