"""The check of a lab before anything starts: every host is `ok`, or the reason why not."""
