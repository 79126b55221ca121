"""One router per subject; every route is guarded by ``edge.api.guard`` and listed in ``edge.api.roles``."""
