"""Ray: the only folder that imports it. Trials, the session they run in, jobs on a cluster."""
