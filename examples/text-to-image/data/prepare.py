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
SIDE = 32
COLUMNS = 16

# Well known, each of one code point, and told apart at 32 by 32.
CHOSEN = """
❤ 💛 💚 💙 💜 🖤 💔 ⭐ ☀ 🌙 🌈 ⚡ ☁ ❄ 🔥 💧 🌍 🪐
😀 😂 😍 😎 😭 😡 🤖 👽 👻 💀 🎃
🐱 🐶 🐭 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🦉 🦄
🐝 🦋 🐞 🐌 🐢 🐍 🐙 🦀 🐟 🐬 🐳 🐘 🦒 🦆 🦩 🕷
🍎 🍏 🍌 🍓 🍇 🍉 🍊 🍋 🍍 🍒 🍑 🍐 🥝 🥑 🥕 🌽 🍆 🍅 🥦
🍕 🍔 🍟 🌭 🍩 🍪 🎂 🧁 🍦 🍿 🍞 🧀 🥚 ☕ 🍺 🍷
🌵 🌲 🌴 🌹 🌻 🌷 🍄 🍀 🍁
🚗 🚕 🚌 🚒 🚜 🚲 🚂 🚀 ✈ 🚁 ⛵ ⚓
🏠 ⛺ 🏰 🗽
⚽ 🏀 🏈 ⚾ 🎾 🎱 🎲 🎯 🏆 🎈 🎁 🎸 🎹 🎺 🥁 🎨
📷 📺 💻 📱 ⏰ 💡 🔑 🔒 🔔 ✂ 🔨 📕 ✏ 💎 👑 🎩 👟 👓 ☂ 💣 🧲
""".split()


def pictures():
    """The font's bitmaps by glyph name, of its only strike."""
    font = TTFont(FONT)
    strike = font["CBDT"].strikeData[0]
    glyphs = font.getBestCmap()
    return lambda char: Image.open(io.BytesIO(strike[glyphs[ord(char)]].imageData))


def small(picture):
    """The bitmap on a clear square, at the size that is learnt."""
    picture = picture.convert("RGBA")
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


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = options.parse_args().out

    chosen = list(dict.fromkeys(CHOSEN))
    picture = pictures()
    name, keywords = names()
    rows = -(-len(chosen) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * SIDE, rows * SIDE))
    with open(out / "emoji.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["index", "char", "name", "keywords"])
        for index, char in enumerate(chosen):
            cell = (index % COLUMNS * SIDE, index // COLUMNS * SIDE)
            sheet.paste(small(picture(char)), cell)
            table.writerow([index, char, name[char], " ".join(keywords[char])])
    sheet.save(out / "emoji.png", optimize=True)
    print(f"{len(chosen)} pictures")


if __name__ == "__main__":
    main()
