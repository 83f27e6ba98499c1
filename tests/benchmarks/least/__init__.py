"""The least application answers S1 to S3 from both databases."""
