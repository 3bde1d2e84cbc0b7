"""The next best pull: what is known of a vehicle's table, what could be driven, what pays."""
