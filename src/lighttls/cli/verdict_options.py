"""What `verify`, `explain` and `doctor` make of the options they share: what is trusted, how strictly, at what time."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from os.path import exists, isdir
from typing import Any, Final

from lighttls.errors import ConfigurationError
from lighttls.x509 import (
    Anchor,
    ChainVerifier,
    RevocationList,
    RevocationPolicy,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    VerifyPolicy,
    certificates_from_pem,
)

_LARGEST_FILE: Final = 64 << 20  # bytes; the largest public CRLs have tens of millions


def trust_store(options: Namespace) -> TrustStore:
    """The roots, and what is permitted below single ones. Raises ConfigurationError."""
    if not options.cafile:
        trust = TrustStore.system()
    elif isdir(options.cafile):
        trust = TrustStore.from_folder(options.cafile)
    else:
        trust = TrustStore.from_file(options.cafile)
    allowed: dict[bytes, tuple[Anchor, dict[str, Any]]] = {}
    for setting, given in (
        ({"sha1": True}, options.allow_sha1_below),
        ({"min_rsa_bits": 1024}, options.allow_rsa1024_below),
    ):
        for words in given:
            for anchor in _anchors(trust, words):
                allowed.setdefault(anchor.der, (anchor, {}))[1].update(setting)
    for anchor, settings in allowed.values():
        trust.add(anchor.der, label=str(anchor), allow=SignaturePolicy(**settings))
    return trust


def _anchors(trust: TrustStore, words: str) -> list[Anchor]:
    """The anchors in a file, or the one of the store whose name has these words."""
    if exists(words):
        return list(TrustStore.from_file(words))
    found = [anchor for anchor in trust if words.lower() in str(anchor).lower()]
    if len(found) != 1:
        names = "; ".join(map(str, found[:4])) or "none"
        raise ConfigurationError(
            f"{words!r} is no file, and must be in the name of one trusted root; it is in that of {len(found)}: {names}"
        )
    return found


def verify_policy(options: Namespace, **more: Any) -> VerifyPolicy:
    """How strictly. Raises ConfigurationError."""
    settings: dict[str, Any] = {"pins": options.pin, **more}
    if options.max_depth is not None:
        settings["max_depth"] = options.max_depth
    if options.floor is not None:
        settings["time"] = TimePolicy.floor(moment(options.floor, "--floor"))
    if options.crl:
        mode = "soft" if options.soft_revocation else "hard"
        lists = [each for path in options.crl for each in _lists_in(path)]
        settings["revocation"] = RevocationPolicy(crls=lists, mode=mode)
    elif options.soft_revocation:
        raise ConfigurationError("--soft-revocation says what to make of the lists of --crl, and none is given")
    if options.policy or options.any_policy:
        settings.update(initial_policies=options.policy or None, require_explicit_policy=True)
    return VerifyPolicy(**settings)


def own_verifier(options: Namespace) -> ChainVerifier | None:
    """What --verifier names, made if it is a class. Raises ConfigurationError."""
    if options.verifier is None:
        return None
    found = named(options.verifier, "--verifier")
    try:
        verifier: ChainVerifier = found() if isinstance(found, type) else found
    except Exception as cause:  # it is the user's own, and may fail in any way
        raise ConfigurationError(f"--verifier {options.verifier}: {type(cause).__name__}: {cause}") from cause
    if not isinstance(getattr(verifier, "verify", None), Callable):  # type: ignore[arg-type]
        raise ConfigurationError(f"--verifier {options.verifier}: it has no method verify(request)")
    return verifier


def named(words: str, option: str) -> Any:
    """The object that MODULE:NAME means. Raises ConfigurationError."""
    module, _, name = words.partition(":")
    sys.path.insert(0, "")  # as `python -m` finds modules
    try:
        return getattr(import_module(module), name)
    except Exception as cause:  # whatever the user's own module raises when it is imported
        raise ConfigurationError(
            f"{option} {words}: {type(cause).__name__}: {cause}", hint="Give MODULE:NAME."
        ) from cause
    finally:
        sys.path.remove("")


def moment(text: str | None, option: str) -> float:
    """Seconds since 1970: now without `text`; a date means its first second, UTC where no zone is given."""
    if text is None:
        return time.time()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        when = (
            datetime.fromisoformat(text)
            if "T" in text or " " in text
            else datetime.combine(date.fromisoformat(text), datetime.min.time())
        )
    except ValueError as cause:
        raise ConfigurationError(
            f"{option} {text!r} is no time: {cause}", hint="For example 2026-06-01T12:00:00Z."
        ) from cause
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def contents(path: str, what: str) -> bytes:
    """A file's bytes. Raises ConfigurationError."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as cause:
        raise ConfigurationError(f"{what} file {path} cannot be read: {cause.strerror}") from cause
    if len(data) > _LARGEST_FILE:
        raise ConfigurationError(f"{what} file {path} is larger than {_LARGEST_FILE >> 20} MiB")
    return data


def _lists_in(path: str) -> tuple[RevocationList, ...]:
    """The CRLs in a PEM or DER file. Raises ConfigurationError."""
    data = contents(path, "CRL")
    try:
        return RevocationPolicy(crls=data).crls
    except ConfigurationError as cause:
        said = str(cause).removeprefix("RevocationPolicy: crls, item 1: ")
        raise ConfigurationError(f"CRL file {path}: {said}") from cause


def public_key_in(path: str) -> bytes:
    """The SubjectPublicKeyInfo (DER) in a PEM or DER file. Raises ConfigurationError."""
    data = contents(path, "key")
    if data[:1] == b"\x30":
        return data
    _, begin, rest = data.partition(b"-----BEGIN PUBLIC KEY-----")
    body, end, _ = rest.partition(b"-----END PUBLIC KEY-----")
    if not begin or not end:
        raise ConfigurationError(f"key file {path}: no public key in it", hint="openssl pkey -pubout writes one.")
    try:
        return a2b_base64(body)
    except Base64Error as cause:
        raise ConfigurationError(f"key file {path} is not base64: {cause}") from cause


def chain_in(path: str) -> list[bytes]:
    """The certificates in a PEM or DER file. Raises ConfigurationError."""
    return certificates_from_pem(contents(path, "chain"), f"chain file {path}")
