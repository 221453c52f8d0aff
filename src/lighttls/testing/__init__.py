"""What tests of lighttls, and of programs built on it, can use: a test PKI and a server to talk to."""
