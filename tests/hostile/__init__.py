"""A TLS 1.2 server that does what a test tells it, with bytes and cryptography of its own.

`wire` builds and reads bytes, `keys` computes, `certificates` has chains good and bad, `server` plays the
script, `steps` makes its odder steps, `link` joins it to a client in memory. None of them imports
lighttls; only `cases`, which says what a client must do, does.
"""
