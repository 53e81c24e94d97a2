# The visitor's page in the program: every file of web/ goes into the library chatd_web
# (daemon/web), as cmake/embed_web.cmake writes it down. Debian's gzip is always there.
find_program(GZIP gzip REQUIRED)

file(GLOB web_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/*)
set(names ${web_files})
list(TRANSFORM names REPLACE ".*/" "")
list(SORT names)
list(JOIN names "," names)  # in the command, so that it is run when a file has gone
set(embedded ${PROJECT_BINARY_DIR}/web/embedded.cpp)
add_custom_command(OUTPUT ${embedded}
  COMMAND ${CMAKE_COMMAND} -D GZIP=${GZIP} -D WEB=${PROJECT_SOURCE_DIR}/web -D NAMES=${names}
          -D MADE=${embedded} -P ${PROJECT_SOURCE_DIR}/cmake/embed_web.cmake
  DEPENDS ${web_files} ${PROJECT_SOURCE_DIR}/cmake/embed_web.cmake
  COMMENT "Embedding the visitor's page"
  VERBATIM)
target_sources(chatd_web PRIVATE ${embedded})
