"""What tests of lighttls, and of programs built on it, can use: a test PKI and a server to talk to."""

from lighttls.testing.aws_iot_server import AwsIotServer
from lighttls.testing.pki import Certificate, Pki, PrivateKey, chain_pem, ec_key, issue, rsa_key

__all__ = ["AwsIotServer", "Certificate", "Pki", "PrivateKey", "chain_pem", "ec_key", "issue", "rsa_key"]
