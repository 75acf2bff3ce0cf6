"""Hosts of a lab as namespaces of one machine: own address, delay, machine id, process table, disk and clock."""
