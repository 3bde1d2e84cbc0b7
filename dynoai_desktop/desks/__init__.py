"""Joints between one topic of the window and the core; all of them live on the GUI thread.

A desk takes the window's wishes for its topic, does the work (on a pool when it is long), keeps
what outlives a page, and hands states back. The station beside this room owns the capture worker.
"""
