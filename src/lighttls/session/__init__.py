"""Sessions that outlive their connection: as bytes, and where they are kept."""

from lighttls.session.memory import MemorySessionStore
from lighttls.session.session import DAY, MAX_AGE, MAX_TICKET, Facts, Session, SessionStore

__all__ = ["DAY", "MAX_AGE", "MAX_TICKET", "Facts", "MemorySessionStore", "Session", "SessionStore"]
