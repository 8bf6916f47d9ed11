# SPDX-License-Identifier: GPL-3.0-or-later
"""What every page has: head and end of an HTML document in one file."""


def document(title: str, css: str, body: str, head: str = "") -> str:
    """The page; `title` and `body` are HTML, `head` are further lines of its head, each closed by a line break."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{head}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
