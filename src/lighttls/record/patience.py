"""Bounds on records that are legal one by one and a nuisance in numbers."""

from __future__ import annotations

from lighttls.errors import UnexpectedMessage
from lighttls.iana import ContentType

MAX_EMPTY_RECORDS = 32  # REC-15
MAX_WARNINGS = 4  # ALERT-06
MAX_HELLO_REQUESTS = 32  # HS-08


class Patience:
    """Counts what carries no progress. Raises UnexpectedMessage when it is too much."""

    __slots__ = ("empty_records", "hello_requests", "warnings")

    def __init__(self) -> None:
        self.empty_records = 0  # in a row
        self.warnings = 0  # in a row
        self.hello_requests = 0  # on the whole connection

    def __bool__(self) -> bool:
        """Whether a count is running that the next record with content ends."""
        return bool(self.empty_records or self.warnings)

    def on_record(self, content_type: int, fragment: bytes) -> None:
        """See every record before it is acted on."""
        if fragment:
            self.empty_records = 0
            if content_type != ContentType.ALERT:
                self.warnings = 0
        elif content_type == ContentType.APPLICATION_DATA:
            self.empty_records += 1
            if self.empty_records > MAX_EMPTY_RECORDS:
                raise UnexpectedMessage(f"the server sent more than {MAX_EMPTY_RECORDS} empty records in a row")

    def on_warning(self) -> None:
        """See every warning alert but close_notify."""
        self.warnings += 1
        if self.warnings > MAX_WARNINGS:
            raise UnexpectedMessage(f"the server sent more than {MAX_WARNINGS} warning alerts in a row")

    def on_hello_request(self) -> None:
        """See every HelloRequest."""
        self.hello_requests += 1
        if self.hello_requests > MAX_HELLO_REQUESTS:
            raise UnexpectedMessage(f"the server sent more than {MAX_HELLO_REQUESTS} HelloRequests")
