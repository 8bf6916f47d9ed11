#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""run/setup says what it is about before it waits for anything, and how far it is while it fetches and unpacks: with an
apt-get of our own, which has no lists at first and, at each call, waits until what is said before has been read."""
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {
    "dpkg-query": """#!/bin/sh
echo not-installed
""",
    "sudo": """#!/bin/sh
[ "$1" != -n ] || shift
exec "$@"
""",
    "apt-get": """#!/bin/sh
read -r go <"$ROOM/go"
case "$*" in
*--print-uris*)
  [ -e "$ROOM/lists" ] || exit 100
  echo "'http://deb.debian.org/a.deb' a.deb 1500000 MD5Sum:1"
  echo "'http://deb.debian.org/b.deb' b.deb 500000 MD5Sum:2" ;;
*update*) touch "$ROOM/lists"; echo "dlstatus:1:50.0000:Retrieving file 1 of 2" ;;
*)
  [ -e "$ROOM/lists" ] || { echo "E: Unable to locate package gcc" >&2; exit 100; }
  echo "dlstatus:1:10.0000:Retrieving file 1 of 2"
  echo "pmstatus:dpkg-exec:0.0000:Running dpkg"
  echo "Unpacking gcc" ;;
esac
""",
}
# What it says before each call of apt-get, then at the end.
SAYS = [
    ["== missing: gcc "],
    ["== installing them and what they need: size unknown yet"],
    ["== fetching the package lists"],
    ["==  50 %  Retrieving file 1 of 2"],
    ["== installing: 2 packages, 2.0 MB to fetch"],
    ["==  10 %  Retrieving file 1 of 2", "==   0 %  Running dpkg", "== installed in "],
]


def main():
    with tempfile.TemporaryDirectory() as room:
        for name, text in TOOLS.items():
            path = pathlib.Path(room, name)
            path.write_text(text)
            path.chmod(0o755)
        os.mkfifo(os.path.join(room, "go"))
        environment = {**os.environ, "ROOM": room, "PATH": f"{room}:{os.environ['PATH']}"}
        job = subprocess.Popen([TOP / "run" / "setup", "--demo"], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        for call, lines in enumerate(SAYS):
            for line in lines:
                said = job.stdout.readline()
                if not said.startswith(line):
                    job.kill()
                    sys.exit(f"before call {call + 1} of apt-get run/setup says\n  {said}  not\n  {line}")
            if call + 1 < len(SAYS):
                with open(os.path.join(room, "go"), "w") as file:
                    file.write("go\n")
        rest = job.stdout.read()
        if job.wait() != 0 or rest:
            sys.exit(f"run/setup: exit {job.returncode}, says {rest}")


if __name__ == "__main__":
    main()
