"""Reading for the screens of delivering; each function costs a constant number of queries."""
