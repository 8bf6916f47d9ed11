#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A published glass by published numbers: the yield stress, which no value of the model was tuned to, against the law
of W. L. Johnson and K. Samwer, Phys. Rev. Lett. 95, 195501 (2005). Events need not be many for that: the box yields at
once, within the law's own error of +-5 % in each constant."""
import os
import tempfile

import h5py

from harness import SOURCE, expect, finish, run

SHEAR_GPA, GLASS_K = 96.0 / (2 * 1.36), 618.0


def main():
    with tempfile.TemporaryDirectory() as folder:
        for temperature in 295, 500:
            done = run(["run", os.path.join(SOURCE, "inputs", "vitreloy1.cfg"), "-o", "out.h5", "-q", "--force",
                        "--set", f"protocol[0].temperature_K={temperature}", "--set", "lattice.cells=[24,24,24]",
                        "--set", "protocol[0].until_strain=0.022"], 1, folder)
            expect(f"run at {temperature} K", done.returncode == 0, done.stderr)
            with h5py.File(os.path.join(folder, "out.h5")) as result:
                stress = result["history/stress_axial_GPa"][()]
            law = 2 * SHEAR_GPA * (0.036 - 0.016 * (temperature / GLASS_K)**(2 / 3))
            print(f"{temperature} K: yield at {stress.max():.3f} GPa, the law {law:.3f} GPa")
            expect(f"yield at {temperature} K", abs(stress.max() / law - 1) < 0.06, f"{stress.max()}, {law}")
            expect(f"the peak at {temperature} K is a yield", stress[-1] < 0.9 * stress.max(), stress[-1])
    finish()


main()
