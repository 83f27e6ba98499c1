"""Other versions of MLflow, each in a virtual environment of its own."""
