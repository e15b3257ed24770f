"""What goes wrong with a cluster; apart, so that no Ray is imported to catch it."""


class ClusterError(Exception):
    """The cluster cannot be used as it was asked to; the message says why and what to do."""


class ClusterLostError(ClusterError):
    """The cluster went away during a run; the message says how to go on."""
