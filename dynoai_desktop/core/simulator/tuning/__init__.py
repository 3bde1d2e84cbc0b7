"""The rehearsal of a tuning session: pull, analyse, correct, repeat, on a simulated vehicle."""
