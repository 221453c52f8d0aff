"""The C core run, not only compiled, on processors that are not this one: emulated by qemu's user mode.

`remote.c` is the C core behind a pipe, `executor` builds and drives it, `cases` has the questions with their
answers, and `test_cross` asks them. This machine is one of the machines, without an emulator: that tests the tests.
The engines of Python take no part but as judges, so what runs is the C code alone.

By default a sample of the cases runs on this machine, on aarch64 and on s390x, which stores the highest byte first.
LIGHTTLS_LONG=1 (`make cross`) runs all cases on every machine.
"""
