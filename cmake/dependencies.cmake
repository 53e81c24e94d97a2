# Only packages of Debian 12 and 13; packages.txt names them. Every dependency is a
# target, so that its headers count as system headers.
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(toml11 REQUIRED)
find_package(CLI11 REQUIRED)
if(BUILD_TESTING)
  find_package(Catch2 REQUIRED)  # 2 or 3: tests/support/catch.hpp
endif()
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)

pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
add_library(libuv::uv ALIAS PkgConfig::LIBUV)
pkg_check_modules(READLINE REQUIRED IMPORTED_TARGET readline)
add_library(readline::readline ALIAS PkgConfig::READLINE)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

# utfcpp is header-only: <utf8.h> on the default include path.
find_path(UTF8CPP_INCLUDE_DIR utf8.h REQUIRED)
add_library(utf8cpp INTERFACE)
target_include_directories(utf8cpp SYSTEM INTERFACE ${UTF8CPP_INCLUDE_DIR})
