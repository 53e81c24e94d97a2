/// Catch2, whichever of its versions is installed: 2 on Debian 12, 3 on Debian 13. No other
/// file of the tests includes it, but for support/main.cpp.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
