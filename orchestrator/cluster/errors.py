"""What goes wrong with a cluster; apart, so that no Ray is imported to catch it."""


class ClusterError(Exception):
    """The cluster cannot be used as it was asked to; the message says why and what to do."""


class ClusterLostError(ClusterError):
    """The cluster went away during a run; the message says how to go on."""


class ClusterSilentError(ClusterError):
    """The cluster did not answer, or had trouble of its own: the same request may succeed later."""
