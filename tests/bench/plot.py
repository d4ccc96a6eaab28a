#!/usr/bin/env python3
"""Draws throughput against remembered keys, as SVG: plot.py OUT.svg LABEL=FILE.tsv...

Each file is one of bench-growth; a line for each, in the order given.
"""

import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 42, 56
COLOURS = ["#1f5fa8", "#c8552b", "#3c8a4e", "#7a4f9b"]


def read(path):
    points = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#") and line.strip():
                keys, rate = line.split("\t")[:2]
                points.append((int(keys), float(rate)))
    if not points:
        sys.exit(f"plot.py: {path}: no figures")
    return points


def step_for(top, most):
    """A round distance of grid lines: at most so many up to top."""
    step = 1
    while top / step > most:
        for factor in (2, 2.5, 2):
            step *= factor
            if top / step <= most:
                break
    return step


def text(x, y, words, anchor="middle", size=12, extra=""):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>'
        f"{escape(words)}</text>"
    )


def grid(x_of, y_of, x_top, y_top):
    parts = []
    step = step_for(y_top, 6)
    for i in range(int(y_top / step + 1e-9) + 1):
        y = y_of(i * step)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y + 4, f"{i * step:,.0f}", "end"))
    step = step_for(x_top, 8)
    for i in range(int(x_top / step + 1e-9) + 1):
        x = x_of(i * step)
        parts.append(f'<path d="M{x:.1f} {HEIGHT - BOTTOM}v5" stroke="#666"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 20, f"{i * step / 1e6:g} M"))
    return parts


def draw(series):
    x_top = max(keys for _, points in series for keys, _ in points)
    y_top = max(rate for _, points in series for _, rate in points) * 1.05

    def x_of(keys):
        return LEFT + (WIDTH - LEFT - RIGHT) * keys / x_top

    def y_of(rate):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / y_top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *grid(x_of, y_of, x_top, y_top),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "keys remembered"),
        text(LEFT, 16, "payments a second", "start", 13),
    ]
    for i, (label, points) in enumerate(series):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x_of(keys):.1f},{y_of(rate):.1f}" for keys, rate in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(
            text(WIDTH - RIGHT, 16 + 15 * i, label, "end", 13, f' fill="{colour}"')
        )
    return "\n".join([*parts, "</svg>", ""])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    series = []
    for argument in sys.argv[2:]:
        label, _, path = argument.rpartition("=")
        series.append((label, read(path)))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(draw(series))


main()
