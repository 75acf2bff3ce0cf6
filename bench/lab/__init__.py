"""Labs of many hosts: what stands where, what runs on a host, how a host is reached, and how results are collected."""
