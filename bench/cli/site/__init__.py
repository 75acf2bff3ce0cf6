"""`perwatt site`: a first site file, and the JSON Schemas of users' files."""
