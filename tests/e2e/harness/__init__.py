"""The parts of chatd_support.py, which is what tests import."""
