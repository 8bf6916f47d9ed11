#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""links.py FOLDER: each relative link of the pages and notebooks in a folder leads to a file in it."""
import json
import os
import re
import sys

LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


def text(path):
    with open(path, encoding="utf-8") as file:
        if path.endswith(".md"):
            return re.sub(r"^```.*?^```$|`[^`\n]*`", "", file.read(), flags=re.M | re.S)
        return "\n".join("".join(cell["source"]) for cell in json.load(file)["cells"] if cell["cell_type"] == "markdown")


def main():
    top, broken, found = os.path.realpath(sys.argv[1]), [], 0
    for folder, _, names in os.walk(top):
        for path in (os.path.join(folder, name) for name in sorted(names) if name.endswith((".md", ".ipynb"))):
            for link in (link for link in LINK.findall(text(path)) if not re.match(r"\w+:", link)):
                found += 1
                target = os.path.realpath(os.path.join(folder, link))
                if not os.path.exists(target) or os.path.commonpath([top, target]) != top:
                    broken.append(f"{os.path.relpath(path, top)}: {link}")
    if not found:
        broken.append("no links at all")
    print("\n".join([*broken, f"{found} links, {len(broken)} broken"]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
