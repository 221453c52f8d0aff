"""What the C core needs of a Cortex-M4: bytes of flash, part by part, and of stack, call by call.

The parts are linked into a firmware that keeps what its entry points reach (--gc-sections), compiled with -Os.
P-384, SHA-384/512 and AES-CCM are in it, since groups, hashes and AEADs are chosen at run time, but are counted
apart; signing and signature verification, which a firmware may leave to its secure element, are in another firmware.
Stack is the deepest path through the compiler's own call graph (-fcallgraph-info) with the frames that it reserved;
painted.c measures the same in calls under qemu.

    make size    prints the tables
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from support import require
from support.workshop import CSRC, STRICT, compiled, run

GCC = "arm-none-eabi-gcc"
CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections"]

HELPERS = "helpers"

START = """
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
__attribute__((weak)) void _start(void);
__attribute__((weak)) void _start(void) {}
void *memcpy(void *to, const void *from, size_t len) {
    for (size_t i = 0; i < len; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int byte, size_t len) {
    for (size_t i = 0; i < len; i++) ((char *)to)[i] = (char)byte;
    return to;
}
"""
"""What a firmware brings. gcc may call memcpy and memset on its own."""

PARTS = {
    "record layer": ["records_seal", "records_open", "record_keys", "aead"],
    "AES-GCM": ["aes_portable", "ghash_portable", "gcm"],
    "ChaCha20-Poly1305": ["chacha20", "poly1305", "chacha20_poly1305"],
    "X25519": ["x25519", "x25519_base"],
    "P-256": ["p256"],
    "key shares": ["key_share"],
    "SHA-256": ["sha256", "hash"],
    "PRF and key schedule": ["hmac", "tls12_prf", "key_schedule"],
    "wiping, processor mask": ["wipe", "cpu"],
    "compiler's helpers": [HELPERS],
}
BESIDES = {
    "P-384": ["p384", "p384_table"],
    "SHA-384 and SHA-512": ["sha512"],
    "AES-CCM": ["ccm"],
}
SIGNING_PART = "signing by P-256"
VERIFICATION = "signature verification"

MOST_FLASH = 28 * 1024
"""Of PARTS. The aim is 32 KiB; what was reached is kept."""
MOST_FLASH_WITH_ALL = 56 * 1024
"""Of everything."""

ENTRIES = [
    "lt_records_seal",
    "lt_records_seal_data",
    "lt_records_open",
    "lt_records_open_data",
    "lt_records_open_into",
    "lt_key_share_generate",
    "lt_key_share_derive",
    "lt_key_agree",
    "lt_premaster_set",
    "lt_premaster_set_psk",
    "lt_premaster_add_psk",
    "lt_key_schedule_derive",
    "lt_key_schedule_resume",
    "lt_key_schedule_record_keys",
    "lt_key_schedule_finished",
    "lt_key_schedule_check_finished",
    "lt_key_schedule_finish",
    "lt_key_schedule_export",
    "lt_key_schedule_master_secret",
    "lt_hmac",
    "lt_equal",
]
SIGNING = ["lt_signing_key_set", "lt_signing_key_sign"]
"""Of a firmware whose key lies in no secure element: like verification, no part of the others."""
VERIFY = "lt_verify_vartime"

WITHOUT_SECRETS = {
    "lt_certificate_cut_vartime": "certificates are public",
    "lt_cpu_features": "reads the processor",
    "lt_cpu_restrict": "a mask",
    "lt_hash": "of what went over the wire; under a key it is lt_hmac",
    "lt_hash_on": "the same, piece by piece",
    "lt_record_keys_short_bytes": "reads a counter that follows from the lengths of records",
    "lt_public_key_set_vartime": "public keys are public",
    "lt_public_key_verify_vartime": "as of verification without preparation",
    VERIFY: "signatures, public keys and what was signed are public",
}
"""Public functions that need not run in constant time, and why."""

WIPED = 4096
"""What lt_wipe_stack overwrites: every call must get by with it, or leaves something."""
MOST_STACK = WIPED + 768
MOST_STACK_OF_VERIFICATION = 9 * 1024
"""What lighttls.h promises."""

HELPER_STACK = 32
"""The compiler's helpers have no call graph. By their disassembly none pushes more than eight registers."""


class Firmware:
    """Everything compiled for the processor, and linked with some entry points."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gcc = require.command(GCC)
        self.objects = []
        for source in sorted(CSRC.glob("*.c")):
            target = folder / f"{source.stem}.o"
            compiled(self.gcc, *STRICT, *CORTEX_M4, "-fcallgraph-info=su", "-c", source, "-o", target)
            self.objects.append(target)

    def link(self, name: str, arguments: list[str | Path]) -> Path:
        program, start = self.folder / name, self.folder / "start.c"
        start.write_text(START)
        helpers = ["-nostdlib", "-fno-tree-loop-distribute-patterns", start]  # or memcpy would call memcpy
        compiled(self.gcc, *CORTEX_M4, *helpers, *arguments, *self.objects, "-lgcc", "-o", program)
        return program

    @cache  # noqa: B019  # one firmware lives as long as the tests
    def flash(self, *entries: str) -> dict[str, int]:
        """Bytes that each object file (or library) puts into flash: code, constants, initial values."""
        listing = self.folder / "firmware.map"
        roots = [f"-Wl,-u,{entry}" for entry in entries]
        self.link("firmware", ["-Wl,--gc-sections", f"-Wl,-Map={listing}", *roots])
        text = listing.read_text().partition("Linker script and memory map")[2]
        text = re.sub(r"\n( \.\S+)\n +", r"\n\1 ", text)  # long names stand on lines of their own
        sizes: dict[str, int] = defaultdict(int)
        for size, path in re.findall(r"^ \.(?:text|rodata|data)\S* +0x\w+ +0x(\w+) (\S+)$", text, re.MULTILINE):
            known = Path(path).stem if Path(path) in self.objects else HELPERS  # libgcc, and START's temporary name
            sizes[known] += int(size, 16)
        return {name: size for name, size in sizes.items() if size}

    @cache  # noqa: B019
    def graph(self) -> tuple[dict[str, int], dict[str, set[str]]]:
        """Frames and callees of all functions."""
        frames: dict[str, int] = {}
        calls: dict[str, set[str]] = defaultdict(set)
        for path in self.folder.glob("*.ci"):
            text = path.read_text()
            for name, size, kind in re.findall(
                r'^node: .*title: "([^"]+)" label: ".*\\n(\d+) bytes \((.*)\)"', text, re.M
            ):
                assert kind in ("static", "dynamic,bounded"), f"{name}: {kind}"
                frames[name] = int(size)
            for caller, callee in re.findall(r'^edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', text, re.M):
                calls[caller].add(callee)
        return frames, calls

    def stack(self, function: str, wiping: bool, above: tuple[str, ...] = ()) -> tuple[int, tuple[str, ...]]:
        """The deepest path from a function on, with lt_wipe_stack or without: its bytes and its functions."""
        frames, calls = self.graph()
        assert function not in above, f"{function} calls itself"
        assert function != "__indirect_call", f"{above[-1]} calls through a pointer"
        callees = [callee for callee in calls[function] if wiping or not callee.startswith("lt_wipe_stack")]
        below = [self.stack(callee, wiping, (*above, function)) for callee in callees]
        deepest, path = max(below, default=(0, ()))
        return frames.get(function, HELPER_STACK) + deepest, (function, *path)


def needs_no_proof(name: str) -> bool:
    """Besides those: wiping reads nothing, and lt_test_* are for tests and call what is proven."""
    return name in WITHOUT_SECRETS or name.endswith("_wipe") or name.startswith("lt_test_")


def test_every_public_function_on_secrets_is_measured_and_run_under_valgrind() -> None:
    header = (CSRC / "lighttls.h").read_text().partition("/* cdef: begin */")[2].partition("/* cdef: end */")[0]
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    public = set(re.findall(r"^[\w ]*?\b(lt_\w+)\(", code, re.MULTILINE))
    wanted = {name for name in public if not needs_no_proof(name)}
    programs = "".join(path.read_text() for path in sorted((CSRC.parent / "tests" / "c").glob("ct_*.c")))
    assert set(WITHOUT_SECRETS) < public
    assert wanted == {*ENTRIES, *SIGNING}
    assert {name for name in wanted if f"{name}(" not in programs} == set()


@pytest.fixture(scope="session")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    return Firmware(tmp_path_factory.mktemp("firmware"))


def part_of(name: str) -> str:
    for part, files in {**PARTS, **BESIDES}.items():
        if name in files:
            return part
    if name == "signing_key":
        return SIGNING_PART
    assert name.endswith("_vartime") or name == "sha1", f"{name} is in no part"
    return VERIFICATION


def by_part(flash: dict[str, int]) -> dict[str, int]:
    parts = dict.fromkeys([*PARTS, *BESIDES, SIGNING_PART, VERIFICATION], 0)
    for name, size in flash.items():
        parts[part_of(name)] += size
    return parts


def test_flash_is_bounded(firmware: Firmware, capsys: pytest.CaptureFixture[str]) -> None:
    parts = by_part(firmware.flash(*ENTRIES))
    everything = by_part(firmware.flash(*ENTRIES, *SIGNING, VERIFY))
    wanted = sum(parts[part] for part in PARTS)
    with capsys.disabled():
        print("\n\nCortex-M4, -Os: bytes of flash")
        for part in PARTS:
            print(f"{parts[part]:8}  {part}")
        print(f"{wanted:8}  of {MOST_FLASH} allowed; with what is chosen at run time:")
        for part in BESIDES:
            print(f"{parts[part]:8}  {part}")
        print(f"{sum(parts.values()):8}  and with certificates and signatures:")
        print(f"{everything[SIGNING_PART]:8}  {SIGNING_PART}")
        print(f"{everything[VERIFICATION]:8}  {VERIFICATION}")
        print(f"{sum(everything.values()):8}  of {MOST_FLASH_WITH_ALL} allowed")
    assert all(parts[part] > 0 for part in [*PARTS, *BESIDES])
    assert parts[VERIFICATION] == parts[SIGNING_PART] == 0
    assert wanted <= MOST_FLASH
    assert sum(everything.values()) <= MOST_FLASH_WITH_ALL


def test_stack_is_bounded(firmware: Firmware, capsys: pytest.CaptureFixture[str]) -> None:
    """No call uses more than is wiped after it, and none more in all than stated."""
    used = {entry: firmware.stack(entry, wiping=False) for entry in [*ENTRIES, *SIGNING, VERIFY]}
    in_all = {entry: firmware.stack(entry, wiping=True)[0] for entry in [*ENTRIES, *SIGNING, VERIFY]}
    with capsys.disabled():
        print("\n\nCortex-M4, -Os: bytes of stack in all, those of them used before the wipe, and what uses them")
        for entry, (size, path) in used.items():
            print(f"{in_all[entry]:8} {size:6}  {entry}: {' '.join(name.rpartition(':')[2] for name in path[1:])}")
    for entry in [*ENTRIES, *SIGNING]:
        own_frame = firmware.graph()[0][entry]
        assert used[entry][0] - own_frame <= WIPED, entry
        assert in_all[entry] <= MOST_STACK, entry
    assert in_all[VERIFY] <= MOST_STACK_OF_VERIFICATION


def test_stack_measured_under_qemu_is_what_the_call_graph_says(firmware: Firmware) -> None:
    painted = firmware.link("painted", ["-std=gnu99", f"-I{CSRC}", Path(__file__).with_name("painted.c")])
    result = run(require.command("qemu-arm"), painted)
    assert result.returncode == 0, result.stdout + result.stderr
    deepest: dict[str, int] = defaultdict(int)
    for line in result.stdout.splitlines():
        size, entry = line.split()
        deepest[entry] = max(deepest[entry], int(size))
    assert deepest == {entry: firmware.stack(entry, wiping=True)[0] for entry in deepest}
    assert len(deepest) == 5


def test_every_helper_is_small(firmware: Firmware) -> None:
    """HELPER_STACK is read off the code of the functions that have no call graph."""
    frames, calls = firmware.graph()
    helpers = {callee for callees in calls.values() for callee in callees} - set(frames)
    firmware.flash(*ENTRIES, *SIGNING, VERIFY)
    listing = run(require.command("arm-none-eabi-objdump"), "-d", firmware.folder / "firmware").stdout
    for helper in helpers:
        code = re.search(rf"<{helper}>:\n(.*?)\n\n", listing, re.DOTALL)
        if code is None:
            continue  # the compiler made instructions of it
        assert "sub\tsp" not in code[1], helper
        pushed = re.findall(r"(?:push|stmdb\tsp!,)\S*\s+\{(.*?)\}", code[1])
        assert 4 * sum(names.count(",") + 1 for names in pushed) <= HELPER_STACK, helper
