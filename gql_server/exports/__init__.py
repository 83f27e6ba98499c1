"""Tables as CSV, Arrow and Parquet files."""
