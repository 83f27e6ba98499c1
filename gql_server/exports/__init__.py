"""Exports of tables (`/tables`) as CSV, Arrow streams and Parquet files."""
