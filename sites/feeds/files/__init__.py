"""The bytes of market files: archives, text, JSON, XML and workbooks."""
