# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes away from stzpost and its tests what newer NumPy, SciPy and matplotlib have removed, whatever versions are
installed. The libraries themselves keep it, since an older one may use what a newer one has removed elsewhere."""
import importlib
import sys
import types

REMOVED = {
    "numpy": """trapz in1d product cumproduct alltrue sometrue row_stack round_ float_ complex_ cfloat singlecomplex
        longfloat clongfloat longcomplex string_ unicode_ NaN Inf Infinity infty PINF NINF PZERO NZERO cast asfarray
        find_common_type mat maximum_sctype obj2sctype sctype2char sctypes source safe_eval set_string_function tracemalloc
        byte_bounds compare_chararrays deprecate disp issctype issubsctype lookfor msort nbytes recfromcsv recfromtxt
        set_numeric_ops who add_docstring add_newdoc geterrobj seterrobj core""",
    "scipy.integrate": "trapz cumtrapz simps romb quadrature romberg",
    "scipy.interpolate": "interp2d",
    "scipy.stats": "itemfreq median_absolute_deviation binom_test",
    "scipy.signal": "hann hamming blackman gaussian daub qmf cascade morlet morlet2 ricker cwt",
    "matplotlib.cm": "get_cmap register_cmap unregister_cmap",
    "matplotlib": "docstring cm_get_cmap",
}


def take_away():
    for name, words in REMOVED.items():
        module, removed = importlib.import_module(name), frozenset(words.split())

        class Newer(types.ModuleType):
            gone = removed

            def __getattribute__(self, attribute):
                if attribute in type(self).gone and ours(sys._getframe(1).f_globals):
                    raise AttributeError(f"{self.__name__} has no {attribute!r} in its newer versions")
                return super().__getattribute__(attribute)

        module.__class__ = Newer


def ours(variables):
    return variables.get("__name__", "").partition(".")[0].startswith(("stzpost", "test_", "synthetic"))
