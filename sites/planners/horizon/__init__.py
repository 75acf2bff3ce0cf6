"""The years of sites as planners read them: tables of months, a workbook, and a network of each year."""
