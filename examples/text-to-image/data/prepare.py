#!/usr/bin/env python3
"""Makes emoji.png and emoji.tsv, the whole training set.

Needs Debian's fonts-noto-color-emoji, unicode-cldr-core, python3-fonttools and
python3-pil. The results are in git: run this only to change them.
"""

import argparse
import csv
import io
import pathlib
import xml.etree.ElementTree as xml

from fontTools.ttLib import TTFont
from PIL import Image

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
NAMES = "/usr/share/unicode/cldr/common/annotations/en.xml"
SIDE = 64
COLUMNS = 40


def pictures():
    """The font's bitmaps by character, of its only strike."""
    font = TTFont(FONT)
    strike = font["CBDT"].strikeData[0]
    glyphs = font.getBestCmap()
    return {chr(code): strike[glyph].imageData for code, glyph in glyphs.items() if glyph in strike}


def small(picture):
    """The bitmap on a clear square, at the size that is learnt."""
    picture = Image.open(io.BytesIO(picture)).convert("RGBA")
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    corner = ((side - picture.width) // 2, (side - picture.height) // 2)
    square.alpha_composite(picture, corner)
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def names():
    """CLDR's name and keywords of each character."""
    name, keywords = {}, {}
    for note in xml.parse(NAMES).iter("annotation"):
        if note.get("type") == "tts":
            name[note.get("cp")] = note.text
        else:
            keywords[note.get("cp")] = [word.strip() for word in note.text.split("|")]
    return name, keywords


def left_out(char):
    """Skin tones, the letters that flags are made of, and what is no emoji by itself."""
    return char.isascii() or "\U0001f1e6" <= char <= "\U0001f1ff" or "\U0001f3fb" <= char <= "\U0001f3ff"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = options.parse_args().out

    picture = pictures()
    name, keywords = names()
    chosen = [char for char in sorted(name.keys() & picture) if not left_out(char)]
    rows = -(-len(chosen) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * SIDE, rows * SIDE))
    with open(out / "emoji.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["index", "char", "name", "keywords"])
        for index, char in enumerate(chosen):
            cell = (index % COLUMNS * SIDE, index // COLUMNS * SIDE)
            sheet.paste(small(picture[char]), cell)
            table.writerow([index, char, name[char], " ".join(keywords[char])])
    sheet.save(out / "emoji.png", optimize=True)
    print(f"{len(chosen)} pictures")


if __name__ == "__main__":
    main()
