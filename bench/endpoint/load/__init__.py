"""The load: slots or a schedule, in one or several processes, that reports each request and the tokens over time."""
