"""Whether machines are fit for a sweep, this one or every node of a cluster, and what to do."""
