"""What a person declares: the control file with its rules and limits, and the file that arms."""
