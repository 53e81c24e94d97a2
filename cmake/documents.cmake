# The documents that are built: the manual pages, if scdoc and awk are installed, and the
# completion scripts of chatctl, which chatctl prints itself.
find_program(SCDOC scdoc)
find_program(AWK awk)
set(documents "")

function(chatd_man_page page source)
  set(made ${PROJECT_BINARY_DIR}/man/${page})
  add_custom_command(OUTPUT ${made}
    COMMAND ${SCDOC} <${source} >${made}
    DEPENDS ${source})
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${made} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  set(documents ${documents} ${made} PARENT_SCOPE)
endfunction()

include(GNUInstallDirs)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man ${PROJECT_BINARY_DIR}/completions)
if(SCDOC AND AWK)
  set(man ${PROJECT_SOURCE_DIR}/doc/man)
  set(toml_page ${PROJECT_BINARY_DIR}/man/chatd.toml.5.scd)
  add_custom_command(OUTPUT ${toml_page}
    COMMAND ${AWK} -f ${man}/chatd.toml.5.awk ${PROJECT_SOURCE_DIR}/config/chatd.toml >${toml_page}
    DEPENDS ${man}/chatd.toml.5.awk ${PROJECT_SOURCE_DIR}/config/chatd.toml)
  chatd_man_page(chatd.8 ${man}/chatd.8.scd)
  chatd_man_page(chatctl.1 ${man}/chatctl.1.scd)
  chatd_man_page(chatd.toml.5 ${toml_page})
else()
  message(STATUS "no manual pages: scdoc or awk is not installed")
endif()

# Where each shell looks for the scripts of packages.
foreach(place
    "bash|bash-completion/completions|chatctl"
    "zsh|zsh/vendor-completions|_chatctl"
    "fish|fish/vendor_completions.d|chatctl.fish")
  string(REPLACE "|" ";" place ${place})
  list(GET place 0 shell)
  list(GET place 1 folder)
  list(GET place 2 name)
  set(made ${PROJECT_BINARY_DIR}/completions/${shell}/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completions/${shell})
  add_custom_command(OUTPUT ${made}
    COMMAND chatctl completion ${shell} >${made}
    DEPENDS chatctl)
  install(FILES ${made} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder})
  list(APPEND documents ${made})
endforeach()

add_custom_target(documents ALL DEPENDS ${documents})
