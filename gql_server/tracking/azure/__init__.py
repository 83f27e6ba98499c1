"""Azure Machine Learning workspaces: how they are opened, what they cannot do, what differs."""
