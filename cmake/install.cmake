# What is installed, and where: below the prefix, in the folders that GNU programs use.
# The configuration goes to the documents, as an example: `cmake --install` does not
# touch /etc, where somebody may have written one (the Debian package puts it there).
include(GNUInstallDirs)

# systemd finds units below /usr and /usr/local. debian/rules knows what Debian wants.
set(CHATD_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units are installed")

install(TARGETS chatd chatctl)
install(FILES config/chatd.toml README.md NEWS.md doc/operations.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_file(systemd/chatd.service.in systemd/chatd.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/systemd/chatd.service systemd/chatd.socket
        DESTINATION ${CHATD_UNIT_DIR})
install(FILES systemd/sockets-only.conf systemd/tls-credentials.conf
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES systemd/chatd.sysusers DESTINATION lib/sysusers.d RENAME chatd.conf)

# `cpack` in a build folder makes a .tar.gz of the same files, for systems other than
# Debian. The Debian package is made by debian/.
set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_FILE_NAME
    ${PROJECT_NAME}-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
include(CPack)
