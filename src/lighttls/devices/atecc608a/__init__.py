"""The ATECC608A secure element: its private keys sign handshakes and never leave it.

    chip = Atecc608a.open("/dev/i2c-1")
    identity = Identity.from_file("device.pem", signer=ChipSigner(chip, slot=0))

docs/secure-element.md begins with the wiring; `lighttls.testing.atecc608a` is a simulated chip.
"""

from lighttls.devices.atecc608a.bus import Bus, LinuxI2C
from lighttls.devices.atecc608a.certificates import CertificateMismatch, Template, trust_and_go_chain
from lighttls.devices.atecc608a.chip import Atecc608a, mixed_entropy
from lighttls.devices.atecc608a.csr import certification_request, request_pem
from lighttls.devices.atecc608a.errors import ChipAbsent, ChipError, ChipRefused, ChipSilent
from lighttls.devices.atecc608a.signer import ChipKeyExchange, ChipSigner
from lighttls.devices.atecc608a.zones import Configuration, Zone

__all__ = [
    "Atecc608a",
    "Bus",
    "CertificateMismatch",
    "ChipAbsent",
    "ChipError",
    "ChipKeyExchange",
    "ChipRefused",
    "ChipSigner",
    "ChipSilent",
    "Configuration",
    "LinuxI2C",
    "Template",
    "Zone",
    "certification_request",
    "mixed_entropy",
    "request_pem",
    "trust_and_go_chain",
]
