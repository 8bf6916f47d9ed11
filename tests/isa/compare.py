#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every program given prints the same, those left out whose instruction set this processor has not got (exit 77).

usage: compare.py PROGRAM..."""
import os
import subprocess
import sys

said = {}
for program in sys.argv[1:]:
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    print(os.path.basename(program), done.returncode, done.stdout.strip(), done.stderr.strip())
    if done.returncode != 77:
        said[program] = (done.returncode, done.stdout)
same = len(set(said.values())) == 1 and len(said) > 1
sys.exit(0 if same and next(iter(said.values()))[0] == 0 and next(iter(said.values()))[1] else 1)
