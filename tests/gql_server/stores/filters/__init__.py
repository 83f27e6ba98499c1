"""Tests of MLflow's filter strings, read without MLflow."""
