"""Exports of tables (`/tables`) as CSV, NDJSON, Arrow and Parquet."""
