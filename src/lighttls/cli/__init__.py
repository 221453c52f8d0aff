"""The command `lighttls`: which commands there are; each has a file of its own, read when it is used.

Exit status: 0 all went well, 1 it did not (standard error says why), 2 the command line is wrong. Of those that judge
a chain, 1 is a refusal, and 2 whatever else leaves it without a verdict.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

PURPOSES = ("server_auth", "client_auth", "any")  # of `verify_chain`, without a reason to load it for --help
PROFILES = ("default", "cellular")  # of `lighttls.profiles`, likewise
DIALECTS = ("quectel", "sim800", "a7670", "simcom", "ublox-r4", "ublox")  # of `lighttls.transports.at_modem`, likewise

_DEMO = """\
Make a small PKI, start an OpenSSL server on this machine that answers as AWS IoT Core, and
publish to it twice with mutual authentication, the device's key behind sign(digest) only. Then
show three connections that must be refused, and why they are.

`lighttls demo modem` publishes over a simulated Quectel EC21 on a serial line of 115200 baud, with
the key in a simulated ATECC608A, in a full and in a resumed handshake; it shows what carries what,
and the bytes and milliseconds of each flight."""

_CONNECT = """\
Connect to a server and say what was agreed. Standard input goes to the server, what it answers
to standard output, everything else to standard error. The end of standard input is not passed
on: the connection stays until the server closes it."""

_VERIFY = """\
Say whether a chain of certificates is good for a host, without any connection: the path that was
found and what it had to meet, or every path that was tried, what ended it, and what to do. The
first certificate is the server's own; the order of the others does not matter. Exit status: 0 the
chain is good, 1 it is refused, 2 there is no verdict."""

_EXPLAIN = """\
Connect to a server, and explain whether its chain is good. The connection is closed after the
handshake, or refused in it; nothing is sent over it. Exit status: 0 the chain is good and the
server's own, 1 it is not, 2 there is no verdict."""

_DOCTOR = """\
Ask every layer on the way to a server in order, and name the first that does not do its part, with
what to do about it: serial port, modem, SIM, registration, PDP context (or this computer's own
network, without --modem), DNS, TCP, secure element, certificate, clock, TLS, and the server's chain.
No data is sent to the server. Simulators can stand for the hardware: the pty of a simulated modem
for --modem, an object such as lighttls.testing.atecc608a:locked_chip for --i2c."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="lighttls", description="A TLS 1.2 client for devices.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="publish over mutual TLS to a server on this machine", description=_DEMO)
    demo.add_argument("story", nargs="?", choices=("modem",), help="over an LTE modem instead, key in a chip")
    demo.add_argument("--json", action="store_true", help="print one JSON object instead of the story")
    demo.add_argument("--svg", metavar="FILE", help="of `demo modem`: draw the time lines into this file, too")

    connect = commands.add_parser("connect", help="connect to a server, like openssl s_client", description=_CONNECT)
    connect.add_argument("server", metavar="HOST[:PORT]", help="port 443 unless told; IPv6 as [::1]:443")
    connect.add_argument("--cafile", metavar="FILE", help="PEM roots to trust (default: the system's)")
    connect.add_argument("--cert", metavar="FILE", help="our PEM certificate chain, and its key if --key is not given")
    connect.add_argument("--key", metavar="FILE", help="our PEM private key")
    connect.add_argument("--alpn", metavar="NAMES", help="protocols to offer, comma-separated, such as http/1.1")
    connect.add_argument("--servername", metavar="NAME", help="the name to ask for and to verify, if not HOST")
    connect.add_argument("--profile", choices=PROFILES, default="default", help="what to offer; cellular saves bytes")
    connect.add_argument("--keylog", metavar="FILE", help="append the session's secrets for Wireshark")
    connect.add_argument("--trace", action="store_true", help="show each handshake message")

    verify = commands.add_parser("verify", help="say whether a chain in a file is good, and why", description=_VERIFY)
    verify.add_argument("chain", metavar="CHAIN", nargs="+", help="PEM or DER files, the server's certificate first")
    host = verify.add_mutually_exclusive_group(required=True)
    host.add_argument("--host", metavar="NAME", help="the host name or address that the chain must be good for")
    host.add_argument("--no-host", action="store_true", help="check no name, as for a client's certificate")
    verify.add_argument("--purpose", choices=PURPOSES, default="server_auth", help="what the first certificate is for")
    verify.add_argument("--ocsp", metavar="FILE", help="an OCSP response (DER), as the server would staple it")
    _add_verdict_options(verify)

    explained = commands.add_parser(
        "explain", help="say whether a server's chain is good, and why", description=_EXPLAIN
    )
    explained.add_argument("server", metavar="HOST[:PORT]", help="port 443 unless told; IPv6 as [::1]:443")
    explained.add_argument("--servername", metavar="NAME", help="the name to ask for and to verify, if not HOST")
    explained.add_argument("--raw-key", metavar="FILE", help="the server's public key (PEM or DER), as RFC 7250 has it")
    _add_verdict_options(explained)
    _add_doctor(commands)

    options = parser.parse_args(argv)
    if options.command == "demo" and options.svg is not None and options.story is None:
        demo.error("--svg belongs to `lighttls demo modem`")
    story = f"_{options.story}" if getattr(options, "story", None) else ""
    try:
        run = import_module(f"lighttls.cli.{options.command}{story}").run
        return _with_output(run, options)
    except KeyboardInterrupt:
        return 130  # as shells say that somebody pressed Ctrl-C


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser("doctor", help="name the first layer that fails, and what to do", description=_DOCTOR)
    doctor.add_argument("server", metavar="HOST[:PORT]", help="port 443 unless told; IPv6 as [::1]:443")
    doctor.add_argument("--servername", metavar="NAME", help="the name to ask for and to verify, if not HOST")
    modem = doctor.add_argument_group("over a modem")
    modem.add_argument("--modem", metavar="PORT", help="its serial port, such as /dev/ttyUSB2, or a simulator's pty")
    modem.add_argument("--dialect", choices=DIALECTS, help="what it speaks (default: it is asked)")
    modem.add_argument("--baud", metavar="N", type=int, default=115200, help="of its serial port (default: 115200)")
    for option, what in (
        ("--apn", "the network's access point"),
        ("--user", "of the APN"),
        ("--password", "of the APN"),
    ):
        modem.add_argument(option, metavar="TEXT", default="", help=what)
    modem.add_argument("--sim-pin", metavar="DIGITS", default="", help="of the SIM; a wrong one is tried once")
    modem.add_argument(
        "--registration-limit", metavar="S", type=_seconds, default=60.0, help="seconds to find a network (default: 60)"
    )
    key = doctor.add_argument_group("who we are")
    key.add_argument("--cert", metavar="FILE", help="our PEM certificate chain, and its key if none is given")
    key.add_argument("--key", metavar="FILE", help="our PEM private key")
    key.add_argument(
        "--i2c", metavar="BUS", help="the key is in an ATECC608 on /dev/i2c-N, or on an object MODULE:NAME"
    )
    key.add_argument("--i2c-address", metavar="N", type=_number, default=0x60, help="on /dev/i2c-N (default: 0x60)")
    key.add_argument("--slot", metavar="N", type=int, choices=range(16), default=0, help="of the key (default: 0)")
    _add_verdict_options(doctor)


def _number(text: str) -> int:
    """Also hexadecimal, as addresses are written."""
    return int(text, 0)


def _seconds(text: str) -> float:
    """A time that may be waited for: an hour at most."""
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError
    return value


def _add_verdict_options(parser: argparse.ArgumentParser) -> None:
    """What is trusted and what is checked, for `verify`, `explain` and `doctor`."""
    trust = parser.add_argument_group("what is trusted")
    trust.add_argument("--cafile", metavar="FILE", help="roots to trust, PEM, or a folder (default: the system's)")
    below = "below this root: a file with it, or words of its name"
    for option, what in (("--allow-sha1-below", "accept SHA-1"), ("--allow-rsa1024-below", "accept RSA-1024")):
        trust.add_argument(option, metavar="ROOT", action="append", default=[], help=f"{what} {below}")
    trust.add_argument("--pin", metavar="SHA256", action="append", default=[], help="a key that the path has, base64")
    checks = parser.add_argument_group("what is checked")
    checks.add_argument("--at", metavar="TIME", help="not now but then: 2026-06-01T12:00:00Z, or seconds since 1970")
    checks.add_argument("--floor", metavar="DATE", help="believe no clock that is before this date")
    checks.add_argument("--crl", metavar="FILE", action="append", default=[], help="revocation lists, PEM or DER")
    checks.add_argument("--soft-revocation", action="store_true", help="refuse what is revoked, accept what is unknown")
    policies = checks.add_mutually_exclusive_group()
    policies.add_argument("--policy", metavar="OID", action="append", default=[], help="demand a certificate policy")
    policies.add_argument("--any-policy", action="store_true", help="demand some policy that all the path has")
    checks.add_argument("--max-depth", metavar="N", type=int, help="authorities between leaf and root, at most")
    checks.add_argument("--verifier", metavar="MODULE:NAME", help="ask your own ChainVerifier, as a connection would")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _with_output(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command whose standard output may fail at any time, at the last flush too."""
    if sys.stdout is None:
        print(f"lighttls {options.command}: standard output is closed", file=sys.stderr)
        return 1
    try:
        status = run(options)
        sys.stdout.flush()
        return status
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the exit flushes in peace
        if not isinstance(error, BrokenPipeError):  # then whoever read our output has had enough
            print(f"lighttls {options.command}: the system refused: {error}", file=sys.stderr)
        return 1
