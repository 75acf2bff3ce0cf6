"""The collecting of finished jobs: every bundle is checked to the byte, and nothing is ever overwritten."""
