"""Real protocols on loopback, behind which stand simulated units; every reply says so where its protocol has room."""
