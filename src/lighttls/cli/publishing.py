"""One HTTPS publish as AWS IoT Core takes it, and what the demos report of a connection that made one."""

from __future__ import annotations

from typing import Any, Final

from lighttls.errors import TransportError
from lighttls.info import ConnectionInfo
from lighttls.transports import Stream

_PAYLOAD: Final = b'{"uptime":42}'


def publish(tls: Stream) -> bytes:
    """Publish once; returns the server's whole answer. Raises TransportError: it is none of HTTP."""
    tls.sendall(
        b"POST /topics/demo/uptime?qos=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(_PAYLOAD), _PAYLOAD)
    )
    parts = []
    while part := tls.recv(4096):
        parts.append(part)
    answer = b"".join(parts)
    if not answer.startswith(b"HTTP/1.1 "):
        raise TransportError(f"the server's answer is not HTTP: {answer[:40]!r}")
    return answer


def run_report(info: ConnectionInfo, answer: bytes, signatures_made: int) -> dict[str, Any]:
    """What was agreed, proved, moved and answered; a resumed handshake has no chain and no root of its own."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return {
        "tls_version": {0x0303: "TLSv1.2"}.get(info.version, hex(info.version)),
        "cipher_suite": info.cipher_suite.name,
        "group": info.group.name.lower() if info.group is not None else None,
        "session_resumed": info.session_resumed,
        "server_chain": [
            {
                "subject": str(certificate),
                "key": certificate.public_key.kind,
                "signature_algorithm": certificate.signature_algorithm,
            }
            for certificate in (info.verified_path.certificates if info.verified_path is not None else ())
        ],
        "trust_anchor": None
        if info.trust_anchor is None
        else {"subject": str(info.trust_anchor), "signature_algorithm": info.trust_anchor.signature_algorithm},
        "client_certificate_sent": info.client_certificate_sent,
        "signatures_made": signatures_made,
        "bytes_sent": info.bytes_sent,
        "bytes_received": info.bytes_received,
        "flights": info.flights,
        "handshake_ms": round(info.flight_times[-1] * 1000, 3),
        "http_status": int(head.split(b" ", 2)[1]),
        "response": body.decode(),
    }


def common_name(subject: str) -> str:
    """The first attribute of a name as lighttls writes it, which here is the common name."""
    return subject.partition(", ")[0].removeprefix("CN=")
