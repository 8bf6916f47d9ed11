# SPDX-License-Identifier: GPL-3.0-or-later
#
# Spack package, built from a checkout:
#   spack repo add run/spack
#   spack dev-build stzkmc@main
from spack.package import *


class Stzkmc(CMakePackage):
    """Parallel kinetic Monte Carlo of shear transformation zones in metallic glasses."""

    license("GPL-3.0-or-later")

    version("main")

    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3:")
    depends_on("fftw@3.3: precision=float,double")
    depends_on("hdf5@1.10:+mpi")
    depends_on("libconfig@1.5:")
    depends_on("cmocka", type="build", when="+tests")
    depends_on("gsl", type="build", when="+tests")
    depends_on("python@3.9:", type=("build", "run"), when="+tests")

    def cmake_args(self):
        return [self.define_from_variant("BUILD_TESTING", "tests")]
