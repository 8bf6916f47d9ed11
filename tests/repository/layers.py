#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the rules of the house that a compiler does not: include directions, who may use which library, what only the
program may do, licence lines, internal headers, links between pages, no history in them. `layers.py [TOP]` prints each breach as file:line: what and exits 1
if there is any."""
import ast
import re
import sys
from pathlib import Path

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"

# Module -> modules whose headers it may include (besides its own, and base). "params" of any module is data alone.
ALLOWED = {
    "base": set(),
    "rng": set(),
    "lattice": set(),
    "elastic": {"lattice"},
    "micro": {"lattice", "rng"},
    "stz": {"rng"},
    "glass": {"micro", "stz", "rng", "lattice"},
    "load": set(),
    "kmc": {"glass", "stz", "elastic", "rng", "lattice"},
    "io": {"lattice"},
    "config": set(),
    "observe": {"load", "kmc", "glass", "stz", "elastic", "rng", "lattice", "io", "config"},
    "sim": {"base", "rng", "lattice", "elastic", "micro", "stz", "glass", "load", "kmc", "observe", "io", "config"},
    "sweep": {"rng", "config", "sim", "io"},
    "app": {"base", "config", "sim", "io", "sweep"},
}
MAY_INCLUDE_ALL_PARAMS = {"config", "sim", "sweep", "app"}

# Header of a library -> the only module that may include it.
LIBRARIES = {r"fftw3.*\.h": "lattice", r"hdf5.*\.h|H5\w*\.h": "io", r"libconfig\.h": "config"}

# What only the program may do: write to the user, end the process, take the world for its communicator.
ONLY_APP = re.compile(r"\b(printf|puts|putchar|exit|_exit|abort|MPI_Abort)\s*\(|\b(stdout|MPI_COMM_WORLD)\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def without_comments(text):
    """C text with comments and the insides of strings blanked; line numbers stay."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group()[0] == "/" else '""', text)


# Rooms of postprocess/stzpost, from below: a module imports from its own room and from those before it. What lies beside
# the rooms is for all.
ROOMS = ("io", "analysis", "plots", "studies", "synth", "pages", "cli")


def check_python(package, path):
    """Imports of a module of stzpost that point upwards, and rooms that have no place in the order."""
    parts = path.relative_to(package).parts
    if len(parts) == 1:
        return
    if parts[0] not in ROOMS:
        yield 1, f"stzpost/{parts[0]} is a room without a place in tests/repository/layers.py"
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = list(parts[: len(parts) - node.level]) + (node.module.split(".") if node.module else [])
            for name in base[:1] or [alias.name for alias in node.names]:
                if name in ROOMS and ROOMS.index(name) > ROOMS.index(parts[0]):
                    yield node.lineno, f"stzpost/{parts[0]} must not import from stzpost/{name}"


def check_source(top, path):
    module = path.relative_to(top / "src").parts[0]
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            yield from ((number, breach) for breach in check_include(module, *include.groups()))
    if module == "app":
        return
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if found := ONLY_APP.search(line):
            yield number, f"{found.group().strip(' (')} belongs to src/app alone"


def check_include(module, own, system):
    if system:
        for pattern, owner in LIBRARIES.items():
            if re.fullmatch(pattern, system) and module != owner:
                yield f"<{system}> belongs to src/{owner} alone"
        return
    target, _, header = own.partition("/")
    if not header:
        yield f'"{own}" lacks its module, as in "base/error.h"'
    elif target not in ALLOWED:
        yield f'"{own}" is in no known module'
    elif target in {module, "base"} or target in ALLOWED[module]:
        return
    elif not (header == "params.h" and module in MAY_INCLUDE_ALL_PARAMS):
        yield f'src/{module} must not include "{own}"'


INTERNAL = re.compile(r"^// Internal to src/(\w+): not installed\.$", re.M)


def headers_out_of_place(top):
    """A header that only its own module needs says so in its second line, and is not installed; no other one does."""
    texts = {str(path.relative_to(top / "src")): path.read_text() for path in sorted((top / "src").rglob("*.[ch]"))}
    includes = {name: [found.group(1) for found in map(INCLUDE.match, text.splitlines()) if found and found.group(1)]
                for name, text in texts.items()}
    module = {name: name.partition("/")[0] for name in texts}
    public = [name for user in texts for name in includes[user] if name in texts and module[name] != module[user]]
    needed = set()
    while public:
        name = public.pop()
        if name not in needed:
            needed.add(name)
            public += [one for one in includes[name] if one in texts]
    for name in texts:
        mark = INTERNAL.search(texts[name])
        if not name.endswith(".h") or module[name] == "app":
            continue
        if mark and (mark.group(1) != module[name] or name in needed):
            yield top / "src" / name, 2, "is called internal, but a header of another module or an installed one needs it"
        elif not mark and name not in needed:
            yield top / "src" / name, 2, f"lacks the line '// Internal to src/{module[name]}: not installed.'"


FUNCTION = re.compile(r"^(?:static inline )?[a-z_][\w \*]*\bstz_\w+\(")


def undescribed(path):
    """Functions of a public header without a comment: above them or above those before them, or behind them."""
    described, depth, lines = False, 0, path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            described = False
        elif line.startswith("//"):
            described = True
        elif depth == 0 and not line.startswith("typedef") and FUNCTION.match(line):
            end = next(i for i in range(number - 1, len(lines)) if re.search("[;{]", lines[i]))
            if not described and not any("//" in one for one in lines[number - 1:end + 1]):
                yield number, "a function of a public header without a comment"
        depth += line.count("{") - line.count("}")


def sources(top):
    """Files that carry a licence line, with the number of lines within which it must stand."""
    for folder, patterns in {
        "src": ("*.c", "*.h", "*.h.in", "*.cmake", "CMakeLists.txt"),
        "tests": ("*.c", "*.h", "*.py", "*.sh", "CMakeLists.txt"),
        "postprocess": ("*.py",),
        "models": ("*.cfg",),
        "inputs": ("*.cfg",),
    }.items():
        for pattern in patterns:
            yield from sorted((top / folder).rglob(pattern))
    yield top / "CMakeLists.txt"
    yield from (path for path in sorted((top / "run").glob("*")) if path.is_file())


# Folder of implementations -> where the list of them is, and its name. A file without an entry would never be called.
LISTS = {
    "src/stz/laws": ("src/stz/params.h", "STZ_BARRIER_LAWS"),
    "src/load/segments": ("src/load/params.h", "STZ_SEGMENTS"),
    "src/observe/observers": ("src/observe/params.h", "STZ_OBSERVERS"),
}


def unregistered(top):
    """Each file of such a folder has its entry in the list."""
    for folder, (header, name) in LISTS.items():
        entries = re.search(rf"^#define {name}\(X\)((?:.*\\\n)*.*)", (top / header).read_text(), re.M)
        listed = re.findall(r"X\(([^)]*)\)", entries[1]) if entries else []
        words = {word.strip() for entry in listed for word in entry.split(",")}
        for path in sorted((top / folder).glob("*.c")):
            if path.stem not in words:
                yield path, 1, f"{path.stem} has no entry in {name} ({header})"
    engines = re.search(r"^#define STZ_ENGINES\(X\)((?:.*\\\n)*.*)", (top / "src/kmc/params.h").read_text(), re.M)[1]
    for path in sorted((top / "src/kmc").rglob("*.c")):
        for name in re.findall(r"^const stz_engine stz_engine_(\w+) = ", path.read_text(), re.M):
            if not re.search(rf"\b{name}\b", engines):
                yield path, 1, f"the engine {name} has no entry in STZ_ENGINES (src/kmc/params.h)"


def unlisted_defects(top):
    """docs/verification-defects.md lists every planted defect (tests/mutants/check --list prints the page)."""
    page = top / "docs/verification-defects.md"
    listed = page.read_text() if page.exists() else ""
    for defect in sorted((top / "tests/mutants").glob("*.toml")):
        if f"| {defect.stem} |" not in listed:
            yield defect, 1, "is not listed in docs/verification-defects.md"


def headings(page):
    """The anchors of a page: its headings as GitHub and Sphinx write them."""
    titles = re.findall(r"^#+ +(.+?) *$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(top):
    """Links between the pages lead to a page that is there and to a heading that it has."""
    for page in sorted([*top.glob("*.md"), *(top / "docs").glob("*.md")]):
        for number, line in enumerate(page.read_text().splitlines(), 1):
            for name, anchor in re.findall(r"\]\(([\w./-]*\.md)?(?:#([\w-]+))?\)", line):
                target = page.parent / name if name else page
                if not target.exists():
                    yield page, number, f"{name} is not there"
                elif anchor and anchor not in headings(target):
                    yield page, number, f"{target.name} has no heading #{anchor}"


HISTORY = re.compile(r"\bcommits? [0-9a-f]{7}\b|\b20\d\d-\d\d-\d\d\b|\bthe machine was\b")
KEEPS_HISTORY = ("CHANGELOG", "results", "verification")  # pages may begin so


def history_in_pages(top):
    """Pages for users say what holds, not how it came about: no commits, no dates of campaigns."""
    for page in sorted([*top.glob("*.md"), *(top / "docs").glob("*.md")]):
        if not page.name.startswith(KEEPS_HISTORY):
            for number, line in enumerate(page.read_text().splitlines(), 1):
                if found := HISTORY.search(line):
                    yield page, number, f"'{found.group()}' belongs to results.md, verification or the changelog"


VERSIONS = {  # where the version stands
    "CMakeLists.txt": r"project\(stzkmc VERSION (\S+)",
    "postprocess/pyproject.toml": r'^version = "(.+)"',
    "postprocess/stzpost/__init__.py": r'^__version__ = "(.+)"',
    "CITATION.cff": r"^version: (\S+)",
    "run/spack/packages/stzkmc/package.py": r'^    version\("(\d.*)"\)',
}
ASKED = ("docs/developer.md", "tests/repository/consumer/CMakeLists.txt")  # who asks for it: first and second number


def other_versions(top):
    """The version is the same wherever it stands."""
    found = {}
    for name, pattern in VERSIONS.items():
        match = re.search(pattern, (top / name).read_text(), re.M) if (top / name).exists() else None
        found[name] = match.group(1) if match else "none"
    for name, version in found.items():
        if version != found["CMakeLists.txt"]:
            yield top / name, 1, f"version {version}, CMakeLists.txt has {found['CMakeLists.txt']}"
    minor = ".".join(found["CMakeLists.txt"].split(".")[:2])
    for name in filter(lambda one: (top / one).exists(), ASKED):
        for asked in re.findall(r"find_package\(stzkmc (\S+)", (top / name).read_text()):
            if asked != minor:
                yield top / name, 1, f"asks for version {asked}, CMakeLists.txt has {minor}"


def breaches(top):
    yield from other_versions(top)
    yield from unlisted_defects(top)
    yield from unregistered(top)
    yield from broken_links(top)
    yield from headers_out_of_place(top)
    yield from history_in_pages(top)
    for path in sources(top):
        text = path.read_text()
        if SPDX not in "\n".join(text.splitlines()[:2]):
            yield path, 1, f"the first lines lack '{SPDX}'"
        if not text.endswith("\n"):  # clang's build refuses it
            yield path, len(text.splitlines()), "the last line lacks its newline"
        if path.name != Path(__file__).name:
            for number, line in enumerate(text.splitlines(), 1):
                if found := UNFINISHED.search(line):
                    yield path, number, f"{found.group()} left in"
    package = top / "postprocess/stzpost"
    for path in sorted(package.rglob("*.py")):
        for number, breach in check_python(package, path):
            yield path, number, breach
    for module in sorted(path for path in (top / "src").iterdir() if path.is_dir()):
        if module.name not in ALLOWED:
            yield module, 1, "is a module without a rule in tests/repository/layers.py"
            continue
        for path in sorted(module.rglob("*.[ch]")):
            for number, breach in check_source(top, path):
                yield path, number, breach
            if path.suffix == ".h" and not INTERNAL.search(path.read_text()):
                for number, breach in undescribed(path):
                    yield path, number, breach


def main():
    top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    found = 0
    for path, number, breach in breaches(top):
        print(f"{path.relative_to(top)}:{number}: {breach}")
        found += 1
    print(f"{found} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
