"""The nonce scan on the CPU, its variants, their self-test, and probes of the core that it runs on."""
