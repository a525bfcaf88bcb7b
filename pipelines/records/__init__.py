"""Records to files: deterministic shards, counts, descriptions."""
