"""The client: persistent connections, each read stamped at the socket, requests and what a server accepts."""
