"""Crypto engines behind one protocol: `provider` says what they do, `select` which one is used."""

from lighttls.crypto.provider import (
    CryptoProvider,
    Entropy,
    KeySchedule,
    Premaster,
    RecordOpener,
    RecordSealer,
)
from lighttls.crypto.select import by_name, default_provider
from lighttls.crypto.suites import SUITES, Suite

__all__ = [
    "SUITES",
    "CryptoProvider",
    "Entropy",
    "KeySchedule",
    "Premaster",
    "RecordOpener",
    "RecordSealer",
    "Suite",
    "by_name",
    "default_provider",
]
