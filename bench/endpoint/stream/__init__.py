"""One streamed reply, from the bytes of the socket to tokens with times; pure functions over recorded reads."""
