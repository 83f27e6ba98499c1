"""The recipes of docs/bi.md, run with the tools that they name."""
