#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws several.sh's figures: for each key a chart of operations per second over cards.

usage: chart.py FIGURES >CHART.svg

Lines of FIGURES: key;way;cards;per second;one card's own per second;median ms;p99 ms
"""
import csv
import html
import sys

WIDTH, HEIGHT = 460, 370  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 56, 90
COLOURS = ["#1b6ca8", "#d1690e", "#2b8a3e"]
MARKS = ["circle", "square", "diamond"]


def element(name, content=None, **attributes):
    """An element of SVG; font_size stands for font-size."""
    words = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f"<{name}{words}/>" if content is None else f"<{name}{words}>{content}</{name}>"


def text(x, y, words, **attributes):
    return element("text", html.escape(words), x=f"{x:.1f}", y=f"{y:.1f}", **attributes)


def line(points, colour, **attributes):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polyline", points=path, fill="none", stroke=colour, **attributes)


def mark(kind, x, y, colour):
    if kind == "circle":
        return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, fill=colour)
    angle = 45 if kind == "diamond" else 0
    return element("rect", x=f"{x - 3.5:.1f}", y=f"{y - 3.5:.1f}", width=7, height=7, fill=colour,
                   transform=f"rotate({angle} {x:.1f} {y:.1f})")


def step_for(top):
    """A round distance of the lines of a grid, of which there are six at most."""
    return next(step for power in range(6) for step in (10**power, 2 * 10**power, 5 * 10**power)
                if top / step <= 6)


def chart(left, key, rows):
    """One chart, its upper left corner at (left, 0)."""
    own = float(rows[0]["own"])
    cards = sorted({int(row["cards"]) for row in rows})
    most = cards[-1]
    top = 1.08 * max([own * most] + [float(row["rate"]) for row in rows])

    def at(number, rate):
        return (left + LEFT + (WIDTH - LEFT - RIGHT) * number / most,
                HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / top)

    out = [text(left + LEFT, 24, key, font_size=16, font_weight="bold"),
           text(left + LEFT, 43, "operations per second, by the number of cards")]
    for rate in range(0, int(top) + 1, step_for(top)):
        x, y = at(0, rate)
        out += [line([(x, y), at(most, rate)], "#ddd"), text(x - 8, y + 4, str(rate), text_anchor="end")]
    for number in cards:
        x, y = at(number, 0)
        out += [line([(x, y), (x, y + 5)], "#555"), text(x, y + 20, str(number), text_anchor="middle")]
    out.append(line([at(0, 0), at(most, own * most)], "#888", stroke_dasharray="5 4"))
    legend = [(None, "#888", f"N times one card's own {own:.2f}")]
    for way, colour, kind in zip(dict.fromkeys(row["way"] for row in rows), COLOURS, MARKS):
        points = [at(int(row["cards"]), float(row["rate"])) for row in rows if row["way"] == way]
        out.append(line(points, colour, stroke_width=1.5))
        out += [mark(kind, x, y, colour) for x, y in points]
        legend.append((kind, colour, way))
    for i, (kind, colour, words) in enumerate(legend):
        x, y = left + LEFT + (i % 2) * 215, HEIGHT - 36 + (i // 2) * 20
        out.append(mark(kind, x, y - 4, colour) if kind else
                   line([(x - 8, y - 4), (x + 8, y - 4)], colour, stroke_dasharray="5 4"))
        out.append(text(x + 14, y, words))
    return out


def main():
    names = ["key", "way", "cards", "rate", "own", "median", "p99"]
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, names, delimiter=";"))
    keys = list(dict.fromkeys(row["key"] for row in rows))
    parts = [element("rect", width="100%", height="100%", fill="white")]
    for i, key in enumerate(keys):
        parts += chart(i * WIDTH, key, [row for row in rows if row["key"] == key])
    print(element("svg", "\n" + "\n".join(parts) + "\n", xmlns="http://www.w3.org/2000/svg",
                  width=WIDTH * len(keys), height=HEIGHT, font_family="sans-serif", font_size=12))


main()
