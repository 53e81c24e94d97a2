# Hardening by the compiler, for every target. An optimised build without a sanitizer has
# all of it, and more than Debian's own flags: fortified calls need the optimiser, and hide
# errors from a sanitizer. tests/e2e/test_hardening.py looks at the programs.
if(NOT CHATD_SANITIZER)
  set(optimised $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  add_compile_options(
    $<${optimised}:-fstack-protector-strong>
    $<${optimised}:-fstack-clash-protection>)
  add_compile_definitions($<${optimised}:_FORTIFY_SOURCE=3>)
  # Indirect jumps, and returns, that only go where they are meant to. In force where the
  # kernel and every library of the process have it, too.
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    add_compile_options($<${optimised}:-fcf-protection=full>)
  elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
    add_compile_options($<${optimised}:-mbranch-protection=standard>)
  endif()
  add_link_options(LINKER:-z,relro,-z,now,-z,noexecstack)
endif()

# The containers of the standard library check how they are used, in the release as well,
# where asserts are on, too.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# Not by CMAKE_POSITION_INDEPENDENT_CODE: in a library that means -fPIC, whose
# functions could be replaced at run time and are therefore not inlined.
add_compile_options(-fPIE)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
