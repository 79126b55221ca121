"""Who asks: the role and the bounds (own member, own lane) that come with a session or an API token."""

from __future__ import annotations

import msgspec

from edge.domain.actors import Actor, Role


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """``member`` is set for the roles member and resident, ``lane`` for diner-terminal, ``panel`` for a panel that is
    bound to a place (only from there may a zone be reset). ``session`` and ``token`` name the credential (ids, never
    secrets), so that a live stream can end with it."""

    user: str
    role: Role
    member: str | None = None
    lane: str | None = None
    panel: str | None = None
    session: str | None = None
    token: str | None = None

    @property
    def actor(self) -> Actor:
        """As the daemon's commands name it. What is kept of a member's command bears the token, never the login's name:
        deleting the login must leave no name behind in the books."""
        return Actor(role=self.role, user=f"member:{self.member}" if self.member else self.user)
