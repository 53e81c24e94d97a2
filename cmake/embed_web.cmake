# Writes the C++ source MADE with the files of the folder WEB whose NAMES are given, a comma
# between them: cmake -D GZIP=... -D WEB=... -D NAMES=... -D MADE=... -P embed_web.cmake.
# daemon/web/files.hpp and texts.hpp say what is in it.
#
# A file is packed first: lines that are comments of JavaScript go, and so does indentation.
# tests/web/files.cpp does the same.
get_filename_component(folder ${MADE} DIRECTORY)
file(MAKE_DIRECTORY ${folder})
string(REPLACE "," ";" names "${NAMES}")

set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")

# The bytes of a file as a literal of C++, a line of it for each 40 of them.
function(literal file variable)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REPEAT "...." 40 line)
  string(REGEX REPLACE "(${line})" "\\1\"\n    \"" bytes "${bytes}")
  set(${variable} "\"${bytes}\"sv" PARENT_SCOPE)
endfunction()

set(files "")
set(count 0)
foreach(name IN LISTS names)
  get_filename_component(ending ${name} LAST_EXT)
  string(SUBSTRING "${ending}" 1 -1 ending)
  if(NOT DEFINED types_${ending})
    message(FATAL_ERROR "web/${name}: the type of such a file is not known; cmake/embed_web.cmake has them")
  endif()

  file(READ ${WEB}/${name} text)
  set(text "\n${text}")  # so that each line stands behind a line's end
  if(ending STREQUAL js)
    string(REGEX REPLACE "\n *//[^\n]*" "" text "${text}")
  endif()
  if(ending MATCHES "^(js|css|html)$")
    string(REGEX REPLACE "\n +" "\n" text "${text}")
  endif()
  string(SUBSTRING "${text}" 1 -1 text)
  set(packed ${folder}/${name})
  file(WRITE ${packed} "${text}")
  execute_process(COMMAND ${GZIP} -9n INPUT_FILE ${packed} OUTPUT_FILE ${packed}.gz
                  COMMAND_ERROR_IS_FATAL ANY)

  literal(${packed} body)
  literal(${packed}.gz gzipped)
  file(SHA256 ${packed} tag)
  string(SUBSTRING ${tag} 0 16 tag)
  set(path "/${name}")
  if(name STREQUAL index.html)
    set(path "/")
  endif()
  string(APPEND files
    "    {\"${path}\", \"${types_${ending}}\",\n    ${body},\n    ${gzipped},\n    \"${tag}\"},\n")
  math(EXPR count "${count} + 1")
endforeach()

# Of texts.js: a language is a member of kTexts, a text one of a language.
file(READ ${WEB}/texts.js text)
foreach(kind languages names)
  set(members_${kind} "")
endforeach()
string(REGEX MATCHALL "\n  [a-z][A-Za-z-]*: {\n" languages "${text}")
string(REGEX MATCHALL "\n    [a-z][A-Za-z]*: '" names "${text}")
foreach(kind languages names)
  list(TRANSFORM ${kind} REPLACE "[^A-Za-z-]" "")
  list(REMOVE_DUPLICATES ${kind})
  list(LENGTH ${kind} count_${kind})
  if(count_${kind} EQUAL 0)
    message(FATAL_ERROR "no ${kind} of texts were found in web/texts.js")
  endif()
  list(TRANSFORM ${kind} REPLACE "(.+)" "    \"\\1\"")
  list(JOIN ${kind} ",\n" ${kind})
endforeach()

file(WRITE ${MADE} "// Made by cmake/embed_web.cmake.
#include <array>

#include \"web/files.hpp\"
#include \"web/texts.hpp\"

namespace chatd::web {

namespace {

using namespace std::string_view_literals;

constexpr std::array<File, ${count}> kFiles{{
${files}}};

constexpr std::array<std::string_view, ${count_languages}> kLanguages{
${languages}};

constexpr std::array<std::string_view, ${count_names}> kTextNames{
${names}};

}  // namespace

std::span<const File> files() { return kFiles; }

std::span<const std::string_view> languages() { return kLanguages; }

std::span<const std::string_view> text_names() { return kTextNames; }

}  // namespace chatd::web
")
