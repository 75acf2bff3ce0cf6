"""The lab file: hosts, power domains, meters that one host reads for others, and miners."""
