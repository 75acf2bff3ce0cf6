"""Sources of what comes in from outside: brokers, a virtual top node of OpenADR 3."""
