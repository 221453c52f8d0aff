"""What only a caller of the room itself can ask; what a server can staple: tests/hostile/test_ocsp_verdict.py."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import Certificate, TimePolicy, VerifiedPath
from lighttls.x509.ocsp import check
from support import pki


def test_path_without_an_issuer_leaves_nobody_to_ask(provider: Any) -> None:
    """As an application's own verifier may return it."""
    path = VerifiedPath((Certificate.parse(pki.shared().ec_device.der),), None, False)
    with pytest.raises(CertificateError, match="no issuer") as caught:
        check(b"", path, 0, TimePolicy.required(), provider, None)
    assert caught.value.reason is ChainReason.BAD_STATUS
