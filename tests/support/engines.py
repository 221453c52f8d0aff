"""Which crypto engines exist here, and which implementations inside the native one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENGINES = ("native", "pure")

CPU_FEATURES = {  # LT_CPU_*
    "aesni": 1,
    "clmul": 2,
    "shani": 4,
    "avx2": 8,
    "bmi2_adx": 16,
    "vaes": 32,
    "avx512": 64,
    "ifma": 128,
    "neon": 256,
    "arm_aes": 512,
    "arm_sha2": 1024,
}


def _mask(*features: str) -> int:
    return sum(CPU_FEATURES[feature] for feature in features)


CPU_MASKS = {
    "portable": 0,
    "aesni": _mask("aesni"),
    "clmul": _mask("clmul"),
    "aesni+clmul": _mask("aesni", "clmul"),
    "vaes": _mask("aesni", "clmul", "avx2", "vaes"),
    "vaes+avx512": _mask("aesni", "clmul", "avx2", "vaes", "avx512"),
    "shani": _mask("shani"),
    "avx2": _mask("avx2"),
    "avx2+bmi2_adx": _mask("avx2", "bmi2_adx"),
    "avx512": _mask("avx2", "avx512"),
    "ifma": _mask("avx2", "avx512", "ifma"),
    "bmi2_adx": _mask("bmi2_adx"),
    "neon": _mask("neon"),
    "arm_aes": _mask("neon", "arm_aes"),
    "arm_sha2": _mask("arm_sha2"),
    "everything": _mask(*CPU_FEATURES),
}
"""Every choice among implementations that cpu.c can make: alone where an implementation needs one feature alone."""


def native_problem() -> str:
    """Why the native engine cannot be used; empty if it can."""
    try:
        import lighttls.crypto._core  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""


def _core() -> Any:
    from lighttls.crypto._core import lib

    return lib


def cpu_features() -> int:
    """The features the native engine found on this processor; 0 without the engine."""
    return 0 if native_problem() else int(_core().lt_cpu_features())


def cpu_feature_names(mask: int) -> str:
    """`mask` in words."""
    return " ".join(name for name, bit in CPU_FEATURES.items() if mask & bit) or "none"


def masks_here() -> list[str]:
    """The masks whose every feature this processor has ("everything" stands for what it has)."""
    found = cpu_features()
    return [name for name, mask in CPU_MASKS.items() if name == "everything" or mask & found == mask]


@contextmanager
def restricted(mask_name: str) -> Iterator[None]:
    """Let the native engine use only the features of one mask, then all of them again."""
    _core().lt_cpu_restrict(CPU_MASKS[mask_name])
    try:
        yield
    finally:
        _core().lt_cpu_restrict(CPU_MASKS["everything"])


def provider(name: str) -> Any:
    """The engine called "native" or "pure"."""
    from lighttls.crypto import by_name

    return by_name(name)
