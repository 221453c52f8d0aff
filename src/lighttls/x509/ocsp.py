"""A stapled OCSP response: does it say that the leaf is good, now, by somebody entitled to say so? (RFC 6960)

RFC 6066 §8 has whoever asked for a response check it and refuse the peer if it does not satisfy. No nonce: nobody can
put one into a stapled response. The responder is the issuer itself or a delegate of its own; one that the application
trusts on other grounds is for its own verifier to judge.

Lists say whether a delegate is revoked, where the client's policy wants to know (§4.2.2.2.1). By id-pkix-ocsp-nocheck
its issuer answers for it as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING, Final
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, CertificateError, ChainReason
from lighttls.x509 import checks, der, distinguished_name, extensions, public_key, signatures
from lighttls.x509.certificate import Certificate
from lighttls.x509.policy import SignaturePolicy, TimePolicy, date_text
from lighttls.x509.verdict import VerifiedPath

if TYPE_CHECKING:
    from lighttls.x509.revocation import StatusCheck

LONGEST_AGE: Final = 7 * 86400  # seconds, of a response that does not say when the next one comes
MOST_DELEGATES: Final = 4  # certificates in a response that are looked at; a real one has one or two

_BASIC: Final = der.oid("1.3.6.1.5.5.7.48.1.1")
_NO_CHECK: Final = der.oid("1.3.6.1.5.5.7.48.1.5")  # id-pkix-ocsp-nocheck
_NULL: Final = b"\x05\x00"
_ENUMERATED: Final = 0x0A
_STATUS: Final = {1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
_HASHES: Final = {
    der.oid("1.3.14.3.2.26"): "sha1",  # names and keys are only found by these; what counts is the signature
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
_POLICY: Final = SignaturePolicy()  # whatever the anchor permits below it

Element = tuple[int, int, int]
"""Tag, start and end of the contents, as `der` gives them."""


@struct
class Issuer:
    """Who issued the leaf: the next certificate, or the anchor."""

    name: bytes  # DER
    spki: bytes  # DER


@struct
class Single:
    """What a response says about one certificate."""

    algorithm: str | None  # that the hashes are made with; None if it is none of ours
    name_hash: bytes
    key_hash: bytes
    serial: int
    status: int  # 0 good, 1 revoked, 2 unknown
    revoked: tuple[int, int | None]  # since when, and why (CRLReason); nothing if it is not
    this_update: int
    next_update: int | None


def check(
    response: bytes,
    path: VerifiedPath,
    at: int,
    time: TimePolicy,
    provider: CryptoProvider,
    status: StatusCheck | None,
) -> None:
    """Raise CertificateError unless the response (DER) is right and says that the path's leaf is good.

    `status` judged the path by lists, and judges a delegate; without it nobody has asked about revocation.
    """
    leaf = path.leaf
    above: Sequence[Certificate] = path.certificates[1:]
    if above:
        issuer = Issuer(above[0].subject, above[0].spki)
    elif path.anchor is not None:
        issuer = Issuer(path.anchor.subject, path.anchor.spki)
    else:
        raise _bad("the verified path has no issuer to ask about its leaf")
    try:
        data, basic = _basic_response(response)
        signed, singles, delegate = _judge_signature(data, basic, issuer, at, time, provider)
        ours = [single for single in _singles(signed, singles) if _covers(single, leaf, issuer, provider)]
    except CertificateError as error:
        if error.reason is ChainReason.BAD_STATUS:
            raise
        raise _bad(f"it cannot be read: {error}") from error  # OCSP-09
    if not ours:  # OCSP-10
        raise _bad("it is about other certificates than the server's")
    for single in ours:
        _judge(single, at, time)
    if delegate is not None and status is not None and path.anchor is not None and not _is_answered_for(delegate):
        try:
            status.check_responder(delegate, above, path.anchor)
        except CertificateError as error:
            raise _bad(f"its responder's certificate: {error}") from error


def _judge(single: Single, at: int, time: TimePolicy) -> None:
    if single.status == 1:  # OCSP-13, whatever its dates: nobody comes back from there
        from lighttls.x509.crl_entries import reason_name

        when, why = single.revoked
        raise CertificateError(
            f"revoked on {date_text(when)} ({reason_name(why)}), says the OCSP response", ChainReason.REVOKED
        )
    if single.status != 0:  # OCSP-14
        raise _bad("the responder does not know the server's certificate")
    last = single.this_update + LONGEST_AGE if single.next_update is None else single.next_update
    if last < single.this_update:
        raise _bad("its nextUpdate lies before its thisUpdate")
    untimely = time.untimely(single.this_update, last, at)
    if untimely:  # OCSP-12
        raise _bad(f"it {untimely}")


def _covers(single: Single, leaf: Certificate, issuer: Issuer, provider: CryptoProvider) -> bool:
    """RFC 6960 §4.1.1: the issuer's name as the leaf writes it, the issuer's key, and the serial number."""
    if single.algorithm is None or single.serial != leaf.serial_number:
        return False
    return single.name_hash == provider.digest(single.algorithm, leaf.issuer) and single.key_hash == provider.digest(
        single.algorithm, _key_bits(issuer.spki)
    )


# --- who says so (RFC 6960 §4.2.2.2) -----------------------------------------------------------


def _judge_signature(
    data: bytes, basic: Element, issuer: Issuer, at: int, time: TimePolicy, provider: CryptoProvider
) -> tuple[bytes, Element, Certificate | None]:
    """Check who signed (OCSP-11).

    Returns the signed bytes, where in them the list of single responses is, and who signed for the issuer, if it did
    not do so itself.
    """
    _, start, stop = basic
    _, signed_stop = der.expect(data, start, stop, der.SEQUENCE, "response data")
    signed = data[start:signed_stop]
    _, algorithm_stop = der.expect(data, signed_stop, stop, der.SEQUENCE, "signature algorithm")
    bits_at, bits_stop = der.expect(data, algorithm_stop, stop, der.BIT_STRING, "signature")
    signature = der.octet_aligned_bits(data, bits_at, bits_stop, "signature")
    sent: list[bytes] = []
    if bits_stop < stop:
        at_list, end_list = der.expect(data, bits_stop, stop, 0xA0, "responder's certificates")
        inner_at, inner_stop = der.expect(data, at_list, end_list, der.SEQUENCE, "responder's certificates")
        if inner_stop != end_list or end_list != stop:
            raise der.malformed("bytes after the responder's certificates")
        sent = _whole_elements(data, inner_at, inner_stop)
    responder, singles = _response_data(signed)
    delegate = _delegate(responder, sent, issuer, at, time, provider)
    spki = issuer.spki if delegate is None else delegate.spki
    _verify(data[signed_stop:algorithm_stop], spki, signature, signed, provider, "its signature")
    return signed, singles, delegate


def _delegate(
    responder: tuple[int, bytes],
    sent: Sequence[bytes],
    issuer: Issuer,
    at: int,
    time: TimePolicy,
    provider: CryptoProvider,
) -> Certificate | None:
    """The certificate of the responder; None: it is the issuer."""
    if _is_responder(responder, issuer.name, issuer.spki, provider):
        return None
    for der_ in sent[:MOST_DELEGATES]:
        delegate = Certificate.parse(der_)
        if _is_responder(responder, delegate.subject, delegate.spki, provider):
            _judge_delegate(delegate, issuer, at, time, provider)
            return delegate
    raise _bad("it names a responder that is neither the issuer nor certified by it")


def _judge_delegate(delegate: Certificate, issuer: Issuer, at: int, time: TimePolicy, provider: CryptoProvider) -> None:
    """Issued by the very authority that issued the leaf, for this purpose, and valid now."""
    name = distinguished_name.normalise(issuer.name)
    if delegate.issuer_name != name:
        raise _bad("its responder was certified by another authority than the server's")
    if extensions.OCSP_SIGNING not in (delegate.extended_key_usage or ()) or not delegate.allows_digital_signature:
        raise _bad("its responder's certificate is not for signing OCSP responses")
    try:
        checks.check_every(delegate, time, at)
        checks.signature_algorithm(delegate)
    except CertificateError as error:
        raise _bad(f"its responder's certificate: {error}") from error
    what = "the signature on its responder's certificate"
    _verify(delegate.outer_algorithm, issuer.spki, delegate.signature, delegate.tbs, provider, what)


def _is_answered_for(delegate: Certificate) -> bool:
    """Its issuer says that nobody need ask whether it is revoked (RFC 6960 §4.2.2.2.1)."""
    return delegate.extensions.get(_NO_CHECK) in ((False, _NULL), (True, _NULL))


def _verify(
    algorithm: bytes, spki: bytes, signature: bytes, signed: bytes, provider: CryptoProvider, what: str
) -> None:
    """As for certificates below an anchor without leave for more: responses are made anew all the time."""
    known = signatures.ALGORITHMS.get(algorithm)
    if known is None or known.scheme is None or known.sha1:
        raise _bad(f"{what} is made with {signatures.name_of(algorithm)}")
    try:
        signatures.check_key(public_key.parse(spki), _POLICY)
        provider.verify(known.scheme, spki, signature, signed)
    except (BadSignature, CertificateError) as error:
        raise _bad(f"{what} does not verify: {error}") from error


def _is_responder(responder: tuple[int, bytes], name: bytes, spki: bytes, provider: CryptoProvider) -> bool:
    kind, value = responder
    if kind == 0xA1:
        return distinguished_name.normalise(value) == distinguished_name.normalise(name)
    return value == provider.digest("sha1", _key_bits(spki))


def _key_bits(spki: bytes) -> bytes:
    """The key itself, without what says of which kind it is."""
    at = der.whole(spki, der.SEQUENCE, "public key")
    _, at = der.expect(spki, at, len(spki), der.SEQUENCE, "public key algorithm")
    at, stop = der.expect(spki, at, len(spki), der.BIT_STRING, "public key")
    return der.octet_aligned_bits(spki, at, stop, "public key")


# --- how it is written (RFC 6960 §4.2.1) -------------------------------------------------------


def _basic_response(response: bytes) -> tuple[bytes, Element]:
    at = der.whole(response, der.SEQUENCE, "OCSP response")
    start, stop = der.expect(response, at, len(response), _ENUMERATED, "responseStatus")
    status = der.integer(response, start, stop, "responseStatus")
    if status != 0:
        raise _bad(f"the responder gave no answer: {_STATUS.get(status, 'it says a status that there is not')}")
    outer_at, outer_stop = der.expect(response, stop, len(response), 0xA0, "responseBytes")
    at, inner_stop = der.expect(response, outer_at, outer_stop, der.SEQUENCE, "responseBytes")
    if outer_stop != len(response) or inner_stop != outer_stop:
        raise der.malformed("responseBytes: bytes after the end")
    oid_at, oid_stop = der.expect(response, at, inner_stop, der.OID, "responseType")
    if response[oid_at:oid_stop] != _BASIC:
        raise _bad(f"a response of type {der.dotted(response[oid_at:oid_stop])}, which is not basic")
    at, stop = der.expect(response, oid_stop, inner_stop, der.OCTET_STRING, "response")
    if stop != inner_stop:
        raise der.malformed("responseBytes: bytes after the response")
    data = response[at:stop]
    start = der.whole(data, der.SEQUENCE, "BasicOCSPResponse")
    return data, (der.SEQUENCE, start, len(data))


def _response_data(signed: bytes) -> tuple[tuple[int, bytes], Element]:
    """The responder, as (tag, value), and the list of single responses."""
    at = der.whole(signed, der.SEQUENCE, "response data")
    stop = len(signed)
    tag, start, end = der.read(signed, at, stop)
    if tag == 0xA1:
        responder = tag, signed[start:end]
    elif tag == 0xA2:
        key_at, key_stop = der.expect(signed, start, end, der.OCTET_STRING, "responder's key")
        if key_stop != end:
            raise der.malformed("responder's key: bytes after the end")
        responder = tag, signed[key_at:key_stop]
    else:
        raise der.malformed("not version 1, or the responder is named neither by name nor by key")
    time_at, time_stop = der.expect(signed, end, stop, der.GENERALIZED_TIME, "producedAt")
    der.time(der.GENERALIZED_TIME, signed[time_at:time_stop])
    list_at, list_stop = der.expect(signed, time_stop, stop, der.SEQUENCE, "responses")
    _judge_extensions(signed, list_stop, stop)
    return responder, (der.SEQUENCE, list_at, list_stop)


def _singles(signed: bytes, singles: Element) -> list[Single]:
    return [_single(signed, element) for element in der.elements(signed, singles[1], singles[2])]


def _single(data: bytes, element: Element) -> Single:
    tag, at, stop = element
    if tag != der.SEQUENCE:
        raise der.malformed("a single response is not a SEQUENCE")
    id_at, id_stop = der.expect(data, at, stop, der.SEQUENCE, "CertID")
    algorithm_at, algorithm_stop = der.expect(data, id_at, id_stop, der.SEQUENCE, "CertID hash")
    oid_at, oid_stop = der.expect(data, algorithm_at, algorithm_stop, der.OID, "CertID hash")
    name_at, name_stop = der.expect(data, algorithm_stop, id_stop, der.OCTET_STRING, "issuerNameHash")
    key_at, key_stop = der.expect(data, name_stop, id_stop, der.OCTET_STRING, "issuerKeyHash")
    serial_at, serial_stop = der.expect(data, key_stop, id_stop, der.INTEGER, "serialNumber")
    if serial_stop != id_stop:
        raise der.malformed("CertID: bytes after the end")
    tag, status_at, status_stop = der.read(data, id_stop, stop)
    if tag not in (0x80, 0xA1, 0x82):
        raise der.malformed("certStatus is neither good nor revoked nor unknown")
    time_at, time_stop = der.expect(data, status_stop, stop, der.GENERALIZED_TIME, "thisUpdate")
    at = time_stop
    next_update = None
    if at < stop and data[at] == 0xA0:
        outer_at, outer_stop = der.expect(data, at, stop, 0xA0, "nextUpdate")
        next_at, next_stop = der.expect(data, outer_at, outer_stop, der.GENERALIZED_TIME, "nextUpdate")
        if next_stop != outer_stop:
            raise der.malformed("nextUpdate: bytes after the end")
        next_update = der.time(der.GENERALIZED_TIME, data[next_at:next_stop])
        at = outer_stop
    _judge_extensions(data, at, stop)
    return Single(
        algorithm=_HASHES.get(data[oid_at:oid_stop]),
        name_hash=data[name_at:name_stop],
        key_hash=data[key_at:key_stop],
        serial=der.integer(data, serial_at, serial_stop, "serialNumber"),
        status=tag & 0x1F,
        revoked=_revoked(data, status_at, status_stop) if tag == 0xA1 else (0, None),
        this_update=der.time(der.GENERALIZED_TIME, data[time_at:time_stop]),
        next_update=next_update,
    )


def _revoked(data: bytes, at: int, stop: int) -> tuple[int, int | None]:
    """RevokedInfo: since when, and why."""
    time_at, time_stop = der.expect(data, at, stop, der.GENERALIZED_TIME, "revocationTime")
    reason = None
    if time_stop < stop:
        outer_at, outer_stop = der.expect(data, time_stop, stop, 0xA0, "revocationReason")
        reason_at, reason_stop = der.expect(data, outer_at, outer_stop, _ENUMERATED, "revocationReason")
        if reason_stop != outer_stop or outer_stop != stop:
            raise der.malformed("revocationReason: bytes after the end")
        reason = der.integer(data, reason_at, reason_stop, "revocationReason")
    return der.time(der.GENERALIZED_TIME, data[time_at:time_stop]), reason


def _judge_extensions(data: bytes, at: int, stop: int) -> None:
    """Extensions at the end of what is at `at`: we know none, so none may be critical (RFC 6960 §4.4)."""
    if at == stop:
        return
    outer_at, outer_stop = der.expect(data, at, stop, 0xA1, "extensions")
    inner_at, inner_stop = der.expect(data, outer_at, outer_stop, der.SEQUENCE, "extensions")
    if inner_stop != outer_stop or outer_stop != stop:
        raise der.malformed("extensions: bytes after the end")
    for tag, each_at, each_stop in der.elements(data, inner_at, inner_stop):
        fields = der.elements(data, each_at, each_stop)
        if tag != der.SEQUENCE or [kind for kind, _, _ in fields] not in (
            [der.OID, der.OCTET_STRING],
            [der.OID, der.BOOLEAN, der.OCTET_STRING],
        ):
            raise der.malformed("an extension of the response has an unknown form")
        if len(fields) == 3 and der.boolean(data, fields[1][1], fields[1][2], "critical"):
            raise _bad("it has a critical extension that is not implemented")


def _whole_elements(data: bytes, at: int, stop: int) -> list[bytes]:
    """The elements that fill `data[at:stop]`, headers included."""
    found = []
    for _, _, end in der.elements(data, at, stop):
        found.append(data[at:end])
        at = end
    return found


def _bad(text: str) -> CertificateError:
    return CertificateError(f"the OCSP response does not do: {text}", ChainReason.BAD_STATUS)
