"""The settings of the server, one class for each subject."""
