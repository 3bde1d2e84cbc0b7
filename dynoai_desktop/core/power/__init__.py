"""Power: correction standards, curves and repeatability."""
