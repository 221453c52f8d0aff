"""The command `lighttls`: which commands there are; each has a file of its own, read when it is used.

Exit status: 0 all went well, 1 it did not (standard error says why), 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

PROFILES = ("default", "cellular")  # those of `lighttls.profiles`, without a reason to load it for --help

_DEMO = """\
Make a small PKI, start an OpenSSL server on this machine that answers as AWS IoT Core, and
publish to it twice with mutual authentication, the device's key behind sign(digest) only. Then
show three connections that must be refused, and why they are."""

_CONNECT = """\
Connect to a server and say what was agreed. Standard input goes to the server, what it answers
to standard output, everything else to standard error. The end of standard input is not passed
on: the connection stays until the server closes it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="lighttls", description="A TLS 1.2 client for devices.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="publish over mutual TLS to a server on this machine", description=_DEMO)
    demo.add_argument("--json", action="store_true", help="print one JSON object instead of the story")

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

    options = parser.parse_args(argv)
    if options.command == "demo":
        from lighttls.cli.demo import run
    else:
        from lighttls.cli.connect import run
    return _with_output(run, options)


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
