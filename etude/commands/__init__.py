"""One module a subcommand: its options, and one call."""
