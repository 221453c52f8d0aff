"""The numbers that Quectel modules give for what failed, in words."""

from __future__ import annotations

from typing import Final

ERRORS: Final = {
    550: "unknown error",
    551: "operation blocked",
    552: "invalid parameters",
    553: "memory not enough",
    554: "socket creation failed",
    555: "operation not supported",
    556: "socket bind failed",
    557: "socket listen failed",
    558: "socket write failed",
    559: "socket read failed",
    560: "socket accept failed",
    561: "opening the PDP context failed",
    562: "closing the PDP context failed",
    563: "the connection number is in use",
    564: "DNS busy",
    565: "DNS parse failed",
    566: "socket connect failed",
    567: "socket closed",
    568: "operation busy",
    569: "operation timeout",
    570: "PDP context broken",
    571: "send cancelled",
    572: "operation not allowed",
    573: "APN not configured",
    574: "port busy",
    579: "SSL handshake failed",
}
"""Of AT+QIOPEN, AT+QSSLOPEN and their relatives."""

FILE_ERRORS: Final = {
    400: "invalid input value",
    401: "larger than the file",
    402: "no bytes read",
    403: "drive full",
    405: "file not found",
    406: "invalid file name",
    407: "the file exists already",
    409: "writing the file failed",
    410: "opening the file failed",
    411: "reading the file failed",
    413: "too many open files",
    414: "the file is read-only",
    416: "invalid file descriptor",
    417: "listing the files failed",
    418: "deleting the file failed",
    419: "no information on the storage",
    420: "no space",
    421: "time out",
    423: "file too large",
    425: "invalid parameter",
    426: "the file is open already",
}
"""Of AT+QFUPL and AT+QFDEL, as `+CME ERROR`."""

IN_USE: Final = 563
TIMEOUT: Final = 569
_LAYERS: Final = {
    561: "PDP context",
    562: "PDP context",
    570: "PDP context",
    573: "PDP context",
    564: "DNS",
    565: "DNS",
}
_LAST_OF_TCP: Final = 574


def layer_of(code: int | None) -> str:
    """The layer that an error of `ERRORS` is about. What is above those of TCP is about the module's TLS."""
    number = code or 0
    return _LAYERS.get(number, "module TLS" if number > _LAST_OF_TCP else "TCP")


def describe(code: int | None) -> str:
    """An error of `ERRORS` in words."""
    return "no result" if code is None else f"error {code} ({ERRORS.get(code, 'not documented')})"
