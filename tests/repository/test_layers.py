#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests layers.py: each planted breach must be found, at its file and line, and nothing else; the clean tree passes."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]

# file, line appended to it, what the finding must say
PLANTED = [
    ("src/base/tensor.c", '#include "rng/rng.h"', 'src/base must not include "rng/rng.h"'),
    ("src/lattice/grid.c", '#include "kmc/params.h"', 'src/lattice must not include "kmc/params.h"'),
    ("src/rng/rng.c", "#include <fftw3.h>", "<fftw3.h> belongs to src/lattice alone"),
    ("src/lattice/grid.c", "#include <hdf5.h>", "<hdf5.h> belongs to src/io alone"),
    ("src/base/units.h", "#include <libconfig.h>", "<libconfig.h> belongs to src/config alone"),
    ("src/base/memory.c", 'static void f(void) { printf("x"); }', "printf belongs to src/app alone"),
    ("src/base/memory.c", "static void f(void) { exit(1); }", "exit belongs to src/app alone"),
    ("src/lattice/fields.c", "static MPI_Comm c = MPI_COMM_WORLD;", "MPI_COMM_WORLD belongs to src/app alone"),
    ("src/rng/rng.h", "// TO" "DO", "TO" "DO left in"),
    ("src/rng/rng.h", "\nint stz_rng_new(int x);", "a function of a public header without a comment"),
    ("docs/guide.md", "Measured on 2026-" "01-31.", "'2026-" "01-31' belongs to results.md"),
    ("postprocess/stzpost/io/result.py", "from ..plots import style", "stzpost/io must not import from stzpost/plots"),
    ("postprocess/stzpost/analysis/nbed.py", "from .. import pages", "stzpost/analysis must not import from stzpost/pages"),
    ("src/rng/rng.c", '#include "nowhere.h"', '"nowhere.h" lacks its module'),
]
HARMLESS = [
    ("src/base/memory.c", "// printf( and MPI_COMM_WORLD in a comment"),
    ("src/base/memory.c", 'static const char *text = "exit(1)";'),
    ("src/base/memory.c", 'static void f(char *t) { snprintf(t, 9, "x"); }'),
    ("src/lattice/grid.c", '#include "lattice/params.h"'),
]


def run(top):
    result = subprocess.run([sys.executable, HERE / "layers.py", top], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout.splitlines()


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(TOP, copy, ignore=shutil.ignore_patterns("build*", "results", ".git"))

        def expect(file, text, breach):
            number = len(text.splitlines())
            original = (copy / file).read_text()
            (copy / file).write_text(text)
            code, lines = run(copy)
            (copy / file).write_text(original)
            if breach is None:
                if (code, lines) != (0, ["0 breaches"]):
                    failures.append(f"harmless change of {file} is reported: {lines}")
            elif code != 1 or len(lines) != 2 or not lines[0].startswith(f"{file}:{number}: {breach}"):
                failures.append(f"planted '{breach}' in {file} gives {lines}")

        for file, line, breach in PLANTED:
            expect(file, (copy / file).read_text() + line + "\n", breach)
        for file, line in HARMLESS:
            expect(file, (copy / file).read_text() + line + "\n", None)
        file = "src/rng/rng.c"
        without = "\n" + "\n".join((copy / file).read_text().splitlines()[1:])
        (copy / file).write_text(without)
        code, lines = run(copy)
        if code != 1 or not lines[0].startswith(f"{file}:1: the first lines lack"):
            failures.append(f"a missing licence line gives {lines}")
        (copy / file).write_text("// " + SPDX + without)
        expect(file, (copy / file).read_text().rstrip("\n"), "the last line lacks its newline")
        (copy / "tests/mutants/new_one.toml").write_text("why = 'x'\ntest = 'y'\n")
        code, lines = run(copy)
        if code != 1 or not lines[0].startswith("tests/mutants/new_one.toml:1: is not listed"):
            failures.append(f"a planted defect that no page lists gives {lines}")
        (copy / "tests/mutants/new_one.toml").unlink()
        for folder in ("stz/laws", "load/segments", "observe/observers"):
            new = copy / "src" / folder / "new_one.c"
            new.write_text("// " + SPDX + "\n")
            code, lines = run(copy)
            if code != 1 or not lines[0].startswith(f"src/{folder}/new_one.c:1: new_one has no entry in STZ_"):
                failures.append(f"a file of {folder} that is in no list gives {lines}")
            new.unlink()
        new = copy / "src/kmc/new_one.c"
        new.write_text(f"// {SPDX}\nconst stz_engine stz_engine_new_one = {{0}};\n")
        code, lines = run(copy)
        if code != 1 or not lines[0].startswith("src/kmc/new_one.c:1: the engine new_one has no entry in STZ_ENGINES"):
            failures.append(f"an engine that is in no list gives {lines}")
        new.unlink()
        for file, old, new, breach in (
            ("src/glass/internal.h", "// Internal to src/glass: not installed.\n", "", "lacks the line '// Internal to"),
            ("src/sim/sample.c", "#include", '#include "glass/internal.h"\n#include', "is called internal, but"),
        ):
            text = (copy / file).read_text()
            (copy / file).write_text(text.replace(old, new, 1))
            code, lines = run(copy)
            (copy / file).write_text(text)
            if code != 1 or not any(line.startswith("src/glass/internal.h:2: " + breach) for line in lines):
                failures.append(f"a header out of place gives {lines}")
        page = copy / "docs/verification-multilevel.md"
        page.write_text(page.read_text().replace("\n## Statistics against the direct engine\n", "\n"))
        code, lines = run(copy)
        if code != 1 or not lines[0].endswith("has no heading #statistics-against-the-direct-engine"):
            failures.append(f"a heading that links miss gives {lines}")
    print("\n".join(failures) or f"{len(PLANTED) + 10} planted breaches found, {len(HARMLESS)} harmless changes passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
