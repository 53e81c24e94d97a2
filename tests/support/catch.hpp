/// Catch2 in the version that is installed: 2 on Debian 12, 3 on Debian 13. Besides this
/// file only support/main.cpp includes it.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
