# SPDX-License-Identifier: GPL-3.0-or-later
# Writes PAGE, the man page of NAME, from what COMMAND says to --help. WHAT: one line on it; VERSION; OTHER: the other program.
# Without the page where the command cannot run here, as when the program is for another processor.
execute_process(COMMAND ${CMAKE_COMMAND} -E env COLUMNS=78 PYTHONDONTWRITEBYTECODE=1 ${COMMAND} --help
  OUTPUT_VARIABLE help ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  message(STATUS "no man page: ${NAME} --help cannot run here")
  file(REMOVE ${PAGE})
  return()
endif()
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" help "${help}")
string(TOUPPER ${NAME} title)
string(REPLACE "-" "\\-" name ${NAME})
string(REPLACE "-" "\\-" other ${OTHER})
file(WRITE ${PAGE} ".TH ${title} 1 \"\" \"stzkmc ${VERSION}\" \"User Commands\"
.SH NAME
${name} \\- ${WHAT}
.SH DESCRIPTION
.nf
${help}.fi
.SH SEE ALSO
.BR ${other} (1),
and the pages in share/doc/stzkmc, which begin with README.md.
")
