"""DynoAI Desktop: the measurement program for the PC beside the dyno."""

__version__ = "0.1.0"
