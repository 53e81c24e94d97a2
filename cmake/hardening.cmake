# Hardening by the compiler, for every target. An optimised build without a sanitizer has
# all of it: fortified calls need the optimiser, and hide errors from a sanitizer. In a
# debug build the containers of the standard library check how they are used.
if(NOT CHATD_SANITIZER)
  set(optimised $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  add_compile_options(
    $<${optimised}:-fstack-protector-strong>
    $<${optimised}:-fstack-clash-protection>)
  add_compile_definitions($<${optimised}:_FORTIFY_SOURCE=2>)
  add_link_options(LINKER:-z,relro,-z,now)
endif()
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# Not by CMAKE_POSITION_INDEPENDENT_CODE: in a library that means -fPIC, whose
# functions could be replaced at run time and are therefore not inlined.
add_compile_options(-fPIE)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
