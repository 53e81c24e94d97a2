# Warnings are errors in our own code; dependencies come in as system headers.
add_library(chatd_warnings INTERFACE)
target_compile_options(chatd_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  -Wdeprecated-copy-dtor -Wnon-virtual-dtor -Wextra-semi -Werror)
