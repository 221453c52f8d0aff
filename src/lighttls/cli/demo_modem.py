"""`lighttls demo modem`: a board with an LTE modem and a secure element publishes through all that lies between."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from ssl import OPENSSL_VERSION, DER_cert_to_PEM_cert
from time import monotonic
from typing import Any, Final

from lighttls.cli import mqtt
from lighttls.cli.board import BAUD, MODULE, ROUND_TRIP, Chip, SerialLine, serial_line
from lighttls.cli.flights import Flight, RecordedTransport, drawn, flights_report
from lighttls.cli.flights_svg import svg
from lighttls.cli.publishing import common_name, publish, run_report
from lighttls.config import ClientConfig
from lighttls.errors import ConfigurationError, LightTLSError, explain
from lighttls.session import MemorySessionStore
from lighttls.testing import AwsIotServer, Pki
from lighttls.transports import Stream
from lighttls.x509 import TrustStore

_LIMIT: Final = 60.0  # seconds for everything that goes over the line; it needs six
_SILENCE: Final = 15.0  # seconds without a byte
_HTTPS, _MQTT = 8443, 8883
_ENDPOINT: Final = (
    "a1b2c3d4e5f6g7-ats.telemetry.assembly-hall-north.plant-7.eu-central-1.devices.manufacturing-company.example"
)
"""As long as endpoints of one's own become, which some libraries for modems have no room for."""


def run(options: Namespace) -> int:
    """Tell the story, or print it as JSON; 0 only if everything went as it must."""
    say: Callable[[str], None] = (lambda line: None) if options.json else print
    report: dict[str, Any] = {"ok": False, "layers": [], "runs": []}
    status = 1
    try:
        lines = _tell(report, say)
        if options.svg is not None:
            _draw(options.svg, lines)
            say(f"\nThe time lines are drawn in {options.svg}")
        report["ok"] = _as_expected(report["runs"])
        status = 0 if report["ok"] else 1
    except LightTLSError as error:
        print(f"lighttls demo modem: {type(error).__name__}: {explain(error)}", file=sys.stderr)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\nok" if report["ok"] else "\nfailed")
    return status


def _tell(report: dict[str, Any], say: Callable[[str], None]) -> list[tuple[str, list[Flight]]]:
    """Fill the report; returns the time lines with their titles."""
    lines = []
    pki, chip = Pki([_ENDPOINT]), Chip()
    chain, key = pki.server_chain(pki.ecdsa_server), pki.ecdsa_server.key.to_pem()
    client_ca = DER_cert_to_PEM_cert(chip.root).encode()
    trust, identity = TrustStore.from_pem(pki.root.to_pem()), chip.identity()
    lacking = mqtt.missing()
    with ExitStack() as stack:
        behind = {_HTTPS: stack.enter_context(AwsIotServer([(chain, key)], client_ca)).port}
        if not lacking:
            behind[_MQTT] = stack.enter_context(mqtt.broker(chain, key, client_ca))
        line = stack.enter_context(serial_line(behind, monotonic() + _LIMIT))
        # Two servers of one name, and neither knows the other's sessions: each has a store of its own.
        configs = [ClientConfig(trust=trust, identity=identity, sessions=MemorySessionStore()) for _ in range(2)]
        device = _Device(line, chip, *configs)
        report["layers"] = _layers(line, chip, configs[0], lacking)
        say("From the wire to the application; modem and chip are simulated, the servers and TCP are real\n")
        for layer in report["layers"]:
            say(f"  {layer['layer']:<12}  {layer['what']}")
        for title in ("Full handshake", "Resumed handshake"):
            found, flights = device.publish()
            found["mqtt"] = {"connack": None, "puback": None, "skipped": lacking} if lacking else device.publish_again()
            found["flights"] = flights_report(flights)
            report["runs"].append(found)
            lines.append((f"{title} and a publish by HTTPS", flights))
            say(f"\n{title}, and a publish by HTTPS\n")
            for text in (*_run_lines(found), "", *drawn(flights)):
                say(f"  {text}".rstrip())
    return lines


def _draw(path: str, lines: list[tuple[str, list[Flight]]]) -> None:
    subject = (
        f"{MODULE} at {BAUD} baud, {ROUND_TRIP * 1000:.0f} ms of round trip, the key in an ATECC608A, all simulated"
    )
    try:
        Path(path).write_text(svg(lines, subject), encoding="utf-8")
    except (OSError, ValueError) as cause:  # ValueError: no path, such as one with a NUL
        reason = getattr(cause, "strerror", None) or cause
        raise ConfigurationError(f"the drawing cannot be written to {path}: {reason}") from cause


class _Device:
    """Publishes as one device does, each time over a connection of its own."""

    def __init__(self, line: SerialLine, chip: Chip, over_https: ClientConfig, over_mqtt: ClientConfig) -> None:
        self._line = line
        self._chip = chip
        self._over_https = over_https
        self._over_mqtt = over_mqtt

    def publish(self) -> tuple[dict[str, Any], list[Flight]]:
        """By HTTPS."""
        before = self._chip.signatures_made
        recorded = RecordedTransport(self._line.modem.open_tcp(_ENDPOINT, _HTTPS), self._line.counted)
        with Stream(recorded, self._over_https, _ENDPOINT, timeout=_SILENCE) as tls:
            answer = publish(tls)
            info, flights = tls.info, recorded.flights[:]  # without the goodbye
        return run_report(info, answer, self._chip.signatures_made - before), flights

    def publish_again(self) -> dict[str, Any]:
        """By MQTT."""
        before = self._chip.signatures_made
        link = self._line.modem.open_tcp(_ENDPOINT, _MQTT)
        with Stream(link, self._over_mqtt, _ENDPOINT, timeout=_SILENCE) as tls:
            found = mqtt.publish_by_mqtt(tls, _SILENCE)
            found["session_resumed"] = tls.info.session_resumed
        return {**found, "signatures_made": self._chip.signatures_made - before}


def _layers(line: SerialLine, chip: Chip, config: ClientConfig, no_mqtt: str) -> list[dict[str, Any]]:
    """What carries what, from below, and where the key is."""
    who, dialect = line.modem.identify(), line.modem.dialect.name.lower()
    return [
        {
            "layer": "serial line",
            "what": f"{line.name} at {BAUD} baud, opened by {line.opened_by}: a pseudo-terminal at a line's pace",
            "baud": BAUD,
            "port": line.name,
            "opened_by": line.opened_by,
        },
        {
            "layer": "AT commands",
            "what": f"{who.maker} {who.model}, dialect {dialect}, {line.modem.settings.access} access",
            "dialect": dialect,
            "module": who.model,
            "access": line.modem.settings.access,
        },
        {
            "layer": "TCP",
            "what": f"the modem's, {ROUND_TRIP * 1000:.0f} ms of round trip, to a name of {len(_ENDPOINT)} characters",
            "host": _ENDPOINT,
            "ports": [_HTTPS] if no_mqtt else [_HTTPS, _MQTT],
            "round_trip_ms": round(ROUND_TRIP * 1000),
        },
        {
            "layer": "TLS",
            "what": f"1.2, by lighttls on the {config.provider.name} engine; the server's by {OPENSSL_VERSION}",
            "engine": config.provider.name,
            "server": OPENSSL_VERSION,
        },
        {
            "layer": "application",
            "what": "a publish by HTTPS, as AWS IoT Core takes it"
            + (f"; no MQTT, since {no_mqtt}" if no_mqtt else ", and one by MQTT: paho-mqtt, to Mosquitto"),
            "protocols": ["HTTPS"] if no_mqtt else ["HTTPS", "MQTT"],
        },
        {
            "layer": "key",
            "what": f"slot 0 of the ATECC608A {chip.serial_number}, which signs and never tells it",
            "home": "ATECC608A",
            "serial_number": chip.serial_number,
            "slot": 0,
        },
    ]


def _run_lines(run: dict[str, Any]) -> Iterator[str]:
    group = f", {run['group']}" if run["group"] else ""
    yield f"agreed  {run['tls_version']}, {run['cipher_suite']}{group}"
    if run["session_resumed"]:
        yield "server  known by the session, and so are we: no certificates, no signatures"
    else:
        root = common_name(run["trust_anchor"]["subject"])
        yield f"root    {root}, signed with {run['trust_anchor']['signature_algorithm']} by itself"
        yield f"device  certificate sent, signatures made by the chip: {run['signatures_made']}"
    yield f"answer  {run['http_status']} {run['response']}"
    if "skipped" not in run["mqtt"]:
        again = "again resumed" if run["mqtt"]["session_resumed"] else "with a full handshake"
        done = "publication acknowledged" if run["mqtt"]["puback"] else "publication not acknowledged"
        yield f"MQTT    over a connection of its own, {again}: CONNACK {run['mqtt']['connack']}, {done}"


def _as_expected(runs: list[dict[str, Any]]) -> bool:
    full, resumed = runs
    for run in runs:
        if "skipped" not in run["mqtt"] and (run["mqtt"]["connack"], run["mqtt"]["puback"]) != (0, True):
            return False
    return (
        all(run["http_status"] == 200 for run in runs)
        and not full["session_resumed"]
        and full["client_certificate_sent"]
        and full["signatures_made"] == 1
        and full["trust_anchor"]["signature_algorithm"] == "sha1WithRSAEncryption"
        and resumed["session_resumed"]
        and resumed["signatures_made"] == 0
    )
