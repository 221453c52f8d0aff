"""Throughput over size, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def draw(path: Path, sizes: Sequence[int], curves: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> None:
    """A panel for each direction in `curves`, a line for each library in it: bytes per second at each of `sizes`."""
    import matplotlib  # only for this picture, and slow to import

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(curves), figsize=(11, 4.5), sharey=True, layout="constrained")
    for panel, (direction, lines) in zip(panels, curves.items(), strict=True):
        for name, speeds in lines.items():
            ours = name == "lighttls"
            panel.plot(sizes, [speed / 1e6 for speed in speeds], marker="o", label=name, linewidth=2.5 if ours else 1.2)
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_xticks(sizes, [str(size) for size in sizes])
        panel.minorticks_off()
        panel.grid(visible=True, alpha=0.3)
        panel.set_xlabel("bytes of a message")
        panel.set_title(direction)
    panels[0].set_ylabel("MB per second of one core")
    panels[0].legend()
    figure.suptitle(title, fontsize="medium")
    figure.savefig(path)
    pyplot.close(figure)
