"""The whole brain of the controller: pure functions, without a clock, a socket, a file or a random number."""
