#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of normal users get an answer that says what to do. An input that was meant otherwise but is allowed runs,
with a note."""
import os
import tempfile

from harness import SOURCE, expect, expect_failure, finish, run, write

HEAD = 'model = "zr65ni35";\nlattice: { cells = [16, 16, 16]; };\n'
RATE = 'protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.02; %s } );\n'


def segment(text):
    return HEAD + "protocol = ( { " + text + " } );\n"


# name, input, the one note; segments are on line 3
NOTES = [
    ("celsius", HEAD + RATE % "temperature_K = 22.0;",
     "in.cfg:3: protocol[0].temperature_K: 22 K: in kelvin? 22 C is 295 K"),
    ("celsius at the end", segment('type = "age"; duration_s = 1.0; temperature_end_K = 60;'),
     "in.cfg:3: protocol[0].temperature_end_K: 60 K: in kelvin? 60 C is 333 K"),
    ("liquid nitrogen", HEAD + RATE % "temperature_K = 77.0;", None),
    ("percent", segment('type = "strain-rate"; rate_per_s = 1.0; until_strain = 0.5;'),
     "in.cfg:3: protocol[0].until_strain: 0.5: a strain of 50 %; strains are taken as small, beyond 20 % results mean "
     "little"),
    ("twenty percent", segment('type = "strain-rate"; rate_per_s = 1.0; until_strain = 0.2;'), None),
    ("percent by time", segment('type = "strain-rate"; rate_per_s = 1.0e-3; duration_s = 300;'),
     "in.cfg:3: protocol[0].duration_s: 0.3: a strain of 30 %; strains are taken as small, beyond 20 % results mean "
     "little"),
    ("percent of cycles", segment('type = "cyclic"; rate_per_s = 1.0; cycles = 1; turn_strains = [0.1, -0.3];'),
     "in.cfg:3: protocol[0].turn_strains: 0.3: a strain of 30 %; strains are taken as small, beyond 20 % results mean "
     "little"),
    ("damage without a shape", HEAD + "barriers: { softening_eV = 0.1;\n  damage_normal = \"xy\"; };\n" + RATE % "",
     'in.cfg:4: barriers.damage_normal: does nothing; it counts where barriers.damage_shape is "slab"'),
    ("a slab's normal", HEAD + "barriers: { softening_eV = 0.1; damage_shape = \"slab\"; damage_normal = \"xy\"; };\n"
     + RATE % "", None),
    ("the default of a key that does nothing", HEAD + "barriers: { damage_width_nm = 5; };\n" + RATE % "", None),
    ("saturation without softening", HEAD + "barriers: { saturation = 3.0; };\n" + RATE % "",
     "in.cfg:3: barriers.saturation: does nothing; it counts where there is barriers.softening_eV"),
    ("a file that is not asked for", HEAD + 'microstructure: { file = "gone.h5"; };\n' + RATE % "",
     'in.cfg:3: microstructure.file: does nothing; it counts where microstructure.type is "file"'),
    ("avalanches that nobody writes", HEAD + "avalanches: { window = 0.5; };\n" + RATE % "",
     "in.cfg:3: avalanches.window: does nothing; it counts where there is output.avalanches"),
]

STRESS = "in size, a fifth of young_GPa; "
# name, input, message
REFUSED = [
    ("stress of creep", segment('type = "creep"; stress_GPa = 30.0; duration_s = 100;'),
     f"in.cfg:3: protocol[0].stress_GPa: got 30, needs at most 14.4 GPa {STRESS}30 MPa are 0.03 GPa"),
    ("compression", segment('type = "creep"; stress_GPa = -30.0; duration_s = 100;'),
     f"in.cfg:3: protocol[0].stress_GPa: got -30, needs at most 14.4 GPa {STRESS}30 MPa are 0.03 GPa"),
    ("MPa beyond the range", segment('type = "creep"; stress_GPa = 300; duration_s = 100;'),
     "in.cfg:3: protocol[0].stress_GPa: got 300, needs >= -100 and <= 100; 300 MPa are 0.3 GPa"),
    ("stress of an end", segment('type = "strain-rate"; rate_per_s = 1.0; until_stress_GPa = 15.0;'),
     f"in.cfg:3: protocol[0].until_stress_GPa: got 15, needs at most 14.4 GPa {STRESS}15 MPa are 0.015 GPa"),
    ("stresses of cycles", segment('type = "cyclic"; rate_per_s = 1.0; cycles = 1; turn_stresses_GPa = [1.0, -20.0];'),
     f"in.cfg:3: protocol[0].turn_stresses_GPa: got [1.0, -20.0], needs at most 14.4 GPa {STRESS}20 MPa are 0.02 GPa"),
    ("rate of a stress", segment(
        'type = "mixed"; duration_s = 10; control = ["stress", "stress", "stress", "stress", "stress", "stress"]; '
        "stress_rates_GPa_per_s = [2.0, 0.0, 0.0, 0.0, 0.0, 0.0];"),
     "in.cfg:3: protocol[0].stress_rates_GPa_per_s: got [2.0, 0.0, 0.0, 0.0, 0.0, 0.0], needs a stress after duration_s "
     f"of at most 14.4 GPa {STRESS}20 MPa are 0.02 GPa"),
    ("percent beyond the range", segment('type = "strain-rate"; rate_per_s = 1.0; until_strain = 7;'),
     "in.cfg:3: protocol[0].until_strain: got 7, needs >= -1 and <= 1; 7 % is 0.07"),
    ("no commas", HEAD.replace("16, 16, 16", "16 16 16") + RATE % "",
     "in.cfg:2: syntax error: found `16`, needs `,` or `]`, which closes the `[` of line 2"),
    ("no semicolon", HEAD.replace(";\nlattice", "\nlattice").replace("16, 16, 16", "16 16 16") + RATE % "",
     "in.cfg:2: syntax error: found `16`, needs `,` or `]`, which closes the `[` of line 2; line 1 does not end with `;`"),
    ("no semicolon and more", 'model = "zr65ni35"\nlattice { cells = [16, 16, 16]; };\n',
     "in.cfg:2: syntax error: found `{`, needs `=` and a value behind the key; line 1 does not end with `;`"),
    ("last comma", HEAD + 'protocol = ( { type = "relaxation"; duration_s = 100; },\n );\n',
     "in.cfg:4: syntax error: found `)`, needs a value behind the comma; leave out the last comma"),
    ("no quotes", segment("type = relaxation; duration_s = 1.0;"),
     "in.cfg:3: syntax error: found `relaxation`, needs a value; texts stand in quotes"),
    ("quotes that do not end", HEAD.replace('zr65ni35"', "zr65ni35"),
     'in.cfg:1: syntax error: found `"zr65ni35;?lattice: { cells = [16, 16, 1`, needs a `"` that ends this text'),
    ("decimal comma", HEAD + "barriers: { width_eV = 0,1; };\n",
     "in.cfg:3: syntax error: found `1`, needs a key or `}`; decimals have a point, as 0.5"),
    ("semicolon twice", HEAD + "run: { seed = 1;; };\n",
     "in.cfg:3: syntax error: found `;`, needs a key or `}`; one `;` is enough"),
    ("brace too many", HEAD + "};\n", "in.cfg:3: syntax error: found `}`, needs a key"),
    ("bracket for brace", HEAD + "run: { seed = 1; );\n",
     "in.cfg:3: syntax error: found `)`, needs `}`, which closes the `{` of line 3"),
    ("many keys", HEAD + "barriers: {\n" + "".join(f"k{i}=1;\n" for i in range(80_000)) + "};\n",
     "in.cfg:1004: got more than 1000 keys in one group, needs fewer"),
    ("many keys outside groups", HEAD + "".join(f"k{i}=1;\n" for i in range(80_000)),
     "in.cfg:1001: got more than 1000 keys in one group, needs fewer"),
    ("many numbers", HEAD + "output: { nbed_strains = [" + ",".join(["1"] * 345_000) + "]; };\n",
     "in.cfg:3: output.nbed_strains: got 1, needs numbers [e1, e2, ...] in ascending order, each >= 0 and <= 1"),
    ("open brackets", HEAD + "[" * 900_000, "in.cfg:3: syntax error: found `[`, needs a key"),
]

# name, arguments with the input GOOD, message
COMMANDS = [
    ("key without its group", ["check", "good.cfg", "--set", "width_eV=0.1"],
     "--set: width_eV: unknown key, the nearest known one is barriers.width_eV"),
    ("misspelt key without its group", ["check", "good.cfg", "--set", "widht_eV=0.1"],
     "--set: widht_eV: unknown key, the nearest known one is barriers.width_eV"),
    ("key of a segment", ["check", "good.cfg", "--set", "rate_per_s=1.0"],
     "--set: rate_per_s: unknown key, the nearest known one is protocol[0].rate_per_s"),
    ("key of another group", ["check", "good.cfg", "--set", "stz.width_eV=0.1"],
     "--set: stz.width_eV: unknown key, the nearest known one is barriers.width_eV"),
    ("a key of nowhere", ["check", "good.cfg", "--set", "a.b.c.d=1"],
     "--set: a.b.c.d: unknown key, `stzkmc check --reference` lists all"),
    ("a key taken for a group", ["check", "good.cfg", "--set", "lattice.cells.x.y=1"],
     "--set: lattice.cells.x.y: unknown key, the nearest known one is lattice.cells"),
    ("an option without its value", ["run", "good.cfg", "--seed", "-o", "x.h5"],
     "--seed: got the option --output, needs a value"),
    ("an output without its value", ["run", "good.cfg", "-o", "--seed=3"],
     "--output: got the option --seed, needs a value"),
    ("sweep file to run", ["run", "sweep.cfg"],
     "sweep.cfg: got a sweep file, needs an input; sweeps are run by `stzkmc sweep`"),
    ("sweep file to check", ["check", "sweep.cfg"],
     "sweep.cfg: got a sweep file, needs an input; sweeps are run by `stzkmc sweep`"),
    ("input to sweep", ["sweep", "good.cfg"],
     "good.cfg: got an input, needs a sweep file; inputs are run by `stzkmc run`"),
    ("misspelt command", ["chek", "good.cfg"], "chek: unknown command; did you mean check?"),
    ("no command", ["good.cfg"],
     "good.cfg: unknown command; it is a file: did you mean `stzkmc run` or `stzkmc info`?"),
    ("misspelt option", ["run", "good.cfg", "--forse"],
     "--forse: unknown option of `stzkmc run`, see stzkmc run --help; did you mean --force?"),
]


def check_notes(folder):
    for name, text, note in NOTES:
        write(os.path.join(folder, "in.cfg"), text)
        done = run(["check", "in.cfg"], 1, folder)
        expect(name, done.returncode == 0 and done.stderr.splitlines() == (["note: " + note] if note else []), done.stderr)
    write(os.path.join(folder, "in.cfg"), NOTES[0][1])
    done = run(["run", "in.cfg"], 2, folder)
    expect("once on two ranks", done.returncode == 0 and done.stderr.count("note: " + NOTES[0][2]) == 1, done.stderr)
    write(os.path.join(folder, "s.cfg"), 'input = "in.cfg"; replicas = 3;\n')
    done = run(["sweep", "s.cfg", "--list"], 1, folder)
    expect("once in a sweep", done.stderr.splitlines() == ["stzkmc: warning: " + NOTES[0][2]], done.stderr)


def check_refused(folder):
    for name, text, message in REFUSED:
        write(os.path.join(folder, "in.cfg"), text)
        expect_failure(name, run(["check", "in.cfg"], 1, folder, timeout=30), 2, message)
    write(os.path.join(folder, "in.cfg"), REFUSED[0][1].replace("model", "elasticity: { young_GPa = 200.0; };\nmodel"))
    done = run(["check", "in.cfg"], 1, folder)
    expect("stiffer", done.returncode == 0, done.stderr)


def check_pipe(folder):
    """A field that is no file is refused; nobody waits for the end of a pipe."""
    write(os.path.join(folder, "in.cfg"), HEAD + RATE % "")
    os.mkfifo(os.path.join(folder, "pipe.h5"))
    field = ["--set", "microstructure.type=file", "--set", "microstructure.dataset=c", "--set"]
    done = run(["check", "in.cfg", *field, "microstructure.file=pipe.h5"], 1, folder, timeout=30)
    expect_failure("a pipe for a field", done, 3, "--set: microstructure.file: pipe.h5: cannot open: it is no file")


def check_taken(folder):
    """What is clear is taken: a list with some points left out, the default foil in a small box, a load of
    nothing, a byte-order mark."""
    write(os.path.join(folder, "in.cfg"), segment('type = "relaxation"; duration_s = 51;')
          + "output: { nbed_strains = [0, 0.05]; };\n")
    done = run(["run", "in.cfg", "-o", "nothing.h5"], 1, folder)
    expect("numbers of two kinds, foil by default", done.returncode == 0, done.stderr)
    done = run(["check", "in.cfg"], 1, folder)
    expect("foil of the box", "foil_nm = 9.28;" in done.stdout, done.stdout)
    write(os.path.join(folder, "in.cfg"), "\ufeff" + (HEAD + RATE % "").replace("\n", "\r\n"))
    done = run(["check", "in.cfg"], 1, folder)
    expect("saved by an editor on Windows", done.returncode == 0 and not done.stderr, done.stderr)


def check_pages():
    """`COMMAND --help` is the command's own page; the page of the program has all of them."""
    whole = run(["--help"]).stdout
    for name, has, lacks in (("run", "--restart", "--shard"), ("check", "--reference", "--force"),
                             ("nbed", "--probe-nm", "--set"), ("sweep", "--ranks-per-run", "--restart"),
                             ("info", "OTHER.h5", "--")):
        for arguments in ([name, "--help"], [name, "x.cfg", "-h"]):
            done = run(arguments)
            page = done.stdout.replace(" --help", "")
            expect(f"{name} --help", done.returncode == 0 and not done.stderr and page.startswith(f"stzkmc {name} ")
                   and has in page and lacks not in page.split("Examples")[0] and "Examples\n  stzkmc" in page, page)
        expect("in the whole: " + name, f"  stzkmc {name} " in whole and has in whole, whole)
    expect("narrow", max(map(len, whole.splitlines())) <= 112, max(whole.splitlines(), key=len))


with tempfile.TemporaryDirectory() as scratch:
    write(os.path.join(scratch, "good.cfg"), HEAD + RATE % "")
    write(os.path.join(scratch, "sweep.cfg"), f'input = "{SOURCE}/inputs/smoke.cfg";\nreplicas = 2;\n')
    for case, arguments, answer in COMMANDS:
        expect_failure(case, run(arguments, 1, scratch), 2, answer)
    check_notes(scratch)
    check_refused(scratch)
    check_pipe(scratch)
    check_taken(scratch)
    check_pages()
finish()
