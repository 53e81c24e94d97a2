# CHATD_SANITIZER: empty, "address" (with undefined and leak), "thread", or "fuzz"
# (address and undefined, and what libFuzzer needs; clang alone).
set(CHATD_SANITIZER "" CACHE STRING "address, thread, fuzz or empty")
add_library(chatd_sanitizers INTERFACE)
if(CHATD_SANITIZER STREQUAL "address")
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=all)
  # Two shared runtimes would share one setter for log_path, and undefined's
  # reports would go to standard error instead (tests/support/sanitized.sh).
  target_link_options(chatd_sanitizers INTERFACE -static-libubsan)
elseif(CHATD_SANITIZER STREQUAL "thread")
  set(flags -fsanitize=thread)
elseif(CHATD_SANITIZER STREQUAL "fuzz")
  set(flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(CHATD_SANITIZER)
  message(FATAL_ERROR "CHATD_SANITIZER is '${CHATD_SANITIZER}'; address, thread, fuzz or nothing would be right")
endif()
if(CHATD_SANITIZER)
  target_compile_options(chatd_sanitizers INTERFACE ${flags} -fno-omit-frame-pointer)
  target_link_options(chatd_sanitizers INTERFACE ${flags})
endif()
