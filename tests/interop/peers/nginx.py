"""nginx: files are put there and fetched back (WebDAV)."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import Files, Lack, Peer, Refused, Setup, Word, find, first, missing_program, output, receive
from lighttls import TLSSocket

CONFIGURATION = """\
daemon off;
master_process off;
pid nginx-{name}.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path nginx-bodies;
    proxy_temp_path nginx-unused;
    fastcgi_temp_path nginx-unused;
    uwsgi_temp_path nginx-unused;
    scgi_temp_path nginx-unused;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2;
        ssl_ciphers ALL:@SECLEVEL=0;  # CCM_8 with its 64-bit tag is at level 0 only
        ssl_ecdh_curve X25519:prime256v1:secp384r1;
        ssl_session_cache shared:sessions:1m;
        {strict}
        root nginx-files;
        location / {{ dav_methods PUT; }}
    }}
}}
"""


class Nginx(Peer):
    name = "nginx"
    ready = None
    notes = (
        "nginx completes the handshake without the client certificate that it insists on, and says so in HTTP (400).",
    )

    def missing(self) -> str:
        return missing_program("nginx")

    def version(self) -> str:
        return first(r"nginx/(\S+)", output(find("nginx") or "", "-v"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        return (cell.server_key, "strict" if cell.device != "none" else "open")

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        kind, manner = setup
        name = "-".join(setup)
        (files.folder / "nginx-files").mkdir(exist_ok=True)
        text = CONFIGURATION.format(
            name=name,
            port=port,
            chain=files.chain(kind),
            key=files.key(kind),
            strict=f"ssl_client_certificate {files.clients}; ssl_verify_client on;" if manner == "strict" else "",
        )
        path = files.write(f"nginx-{name}.conf", text)
        return [find("nginx") or "", "-p", files.folder, "-c", path]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        return {"size": Lack("OpenSSL has no record_size_limit")} if cell.record_size_limit else {}

    def talk(self, tls: TLSSocket) -> None:
        for length in self.lengths:
            data = (bytes(range(256)) * length)[:length]
            tls.sendall(b"PUT /%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (length, length) + data)
            assert _status(tls) in (201, 204)
            tls.sendall(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % length)
            assert _status(tls) == 200
            assert receive(tls, length) == data


def _status(tls: TLSSocket) -> int:
    """Of the next answer, whose header is read to its end."""
    header = b""
    while not header.endswith(b"\r\n\r\n"):
        header += receive(tls, 1)
    status = int(header.split()[1])
    if status == 400:
        raise Refused(header.decode())
    return status
