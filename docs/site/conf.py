# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx configuration of the documentation site; docs/site/build stages the sources and runs it."""
import os
import sys

sys.path.insert(0, os.environ["STZPOST"])

project = "stzkmc"
author = "the stzkmc developers"
release = os.environ["STZKMC_VERSION"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath"]
# MathJax 2, of Debian's libjs-mathjax; docs/site/build copies it into the site, so that no network is asked.
mathjax_path = "mathjax/MathJax.js?config=TeX-AMS_CHTML"
mathjax2_config = {
    "messageStyle": "none",
    "showMathMenu": False,
    "tex2jax": {"processClass": "tex2jax_process|mathjax_process|math|output_area", "ignoreClass": "document"},
}
html_static_path = ["static"]
html_css_files = ["site.css"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {
    "description": "Plasticity of metallic glasses by kinetic Monte Carlo of shear transformation zones",
    "fixed_sidebar": True,
    "page_width": "64rem",
    "font_family": "system-ui, 'Liberation Sans', Arial, sans-serif",
    "head_font_family": "system-ui, 'Liberation Sans', Arial, sans-serif",
}
html_show_sourcelink = False
html_show_copyright = False
autodoc_typehints = "description"
man_pages = [
    ("stzkmc.1", "stzkmc", "kinetic Monte Carlo of shear transformation zones in metallic glasses", "", 1),
    ("stz-post.1", "stz-post", "figures, numbers, pages and synthetic data from results of stzkmc", "", 1),
]
# What the pages call commands and inputs are no languages that the highlighter knows.
highlight_language = "none"
