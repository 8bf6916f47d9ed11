# SPDX-License-Identifier: GPL-3.0-or-later
#
# Spack package, built from a checkout of a release (below) or of main:
#   spack repo add run/spack
#   spack dev-build stzkmc@main
from spack.package import *


class Stzkmc(CMakePackage):
    """Parallel kinetic Monte Carlo of shear transformation zones in metallic glasses."""

    license("GPL-3.0-or-later")

    version("main")
    version("1.0.0")

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

    # stz-post: postprocess/pyproject.toml has the same versions.
    depends_on("python@3.11:", type=("build", "run"))
    depends_on("py-numpy@1.24:", type="run")
    depends_on("py-scipy@1.10:", type="run")
    depends_on("py-h5py@3.7:", type="run")
    depends_on("py-matplotlib@3.6:", type="run")
    depends_on("py-xarray@2023.1:", type="run")
    depends_on("py-pandas@1.5:", type="run")
    depends_on("py-pint@0.19:", type="run")
    depends_on("py-openpyxl@3.0:", type="run")
    depends_on("py-emcee@3.1:", type="run")
    depends_on("py-pytest", type="build", when="+tests")

    def cmake_args(self):
        return [self.define_from_variant("BUILD_TESTING", "tests")]

    @run_after("install")
    def use_this_python(self):
        filter_file("^#!.*python3$", f"#!{self.spec['python'].command.path}", join_path(self.prefix.bin, "stz-post"))
