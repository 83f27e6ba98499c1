"""`/tables`: what is tracked as files that spreadsheets, data frames and databases read."""
