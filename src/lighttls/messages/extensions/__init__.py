"""Bodies of the hello extensions we send and accept, one file each."""

from lighttls.messages.extensions.alpn import ProtocolNameList
from lighttls.messages.extensions.certificate_type import CertificateTypes, ChosenCertificateType
from lighttls.messages.extensions.ec_point_formats import EcPointFormats
from lighttls.messages.extensions.empty import EmptyBody
from lighttls.messages.extensions.max_fragment_length import MaxFragmentLength
from lighttls.messages.extensions.record_size_limit import RecordSizeLimit
from lighttls.messages.extensions.renegotiation_info import RenegotiationInfo
from lighttls.messages.extensions.server_name import HostName, ServerNameList
from lighttls.messages.extensions.signature_algorithms import SignatureAlgorithms
from lighttls.messages.extensions.signed_certificate_timestamp import SignedCertificateTimestampList
from lighttls.messages.extensions.status_request import CertificateStatusRequest
from lighttls.messages.extensions.supported_groups import SupportedGroups

__all__ = [
    "CertificateStatusRequest",
    "CertificateTypes",
    "ChosenCertificateType",
    "EcPointFormats",
    "EmptyBody",
    "HostName",
    "MaxFragmentLength",
    "ProtocolNameList",
    "RecordSizeLimit",
    "RenegotiationInfo",
    "ServerNameList",
    "SignatureAlgorithms",
    "SignedCertificateTimestampList",
    "SupportedGroups",
]
