#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`hdf5_api.py BUILD`: the files that call HDF5 compile, without a warning, whatever version of its interface is asked for
by its macros: systems build HDF5 with other defaults than Debian's (1.8)."""
import json
import os
import shlex
import subprocess
import sys

with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as commands:
    calls = [one for one in json.load(commands) if "/src/io/" in one["file"] and "libstzkmc.dir" in one["command"]]
wrong = 0
for api in "", "16", "18", "110":
    for call in calls:
        words = [word for word in shlex.split(call["command"]) if not word.endswith("ccache")]
        words[words.index("-o") + 1] = "/dev/null"
        asked = [f"-DH5_USE_{api}_API"] if api else []
        done = subprocess.run([*words, *asked, "-Werror", "-fsyntax-only"], cwd=call["directory"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            wrong += 1
            print(api or "default", call["file"], done.stderr[:600])
print(f"{len(calls)} files, {wrong} wrong")
sys.exit(wrong > 0 or not calls)
