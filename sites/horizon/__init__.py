"""The horizon of a site: several years, their phases, and the monthly statement of what they yield."""
