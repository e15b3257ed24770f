"""What a trial asks for, against what there is."""


class ResourcesError(Exception):
    """A trial asks for more than this machine has; the message names both."""
