// Whether somebody begins TLS, by the first bytes.
#include "tls/client_hello.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace chatd::tls {
namespace {

using namespace std::literals;

TEST_CASE("client hello: six bytes say yes, fewer that agree say perhaps", "[tls][client_hello]") {
  const auto hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv;
  for (std::size_t size = 0; size < kClientHelloSign; ++size) {
    CHECK(looks_like_client_hello(hello.substr(0, size)) == LooksLikeClientHello::kPerhaps);
  }
  for (std::size_t size = kClientHelloSign; size <= hello.size(); ++size) {
    CHECK(looks_like_client_hello(hello.substr(0, size)) == LooksLikeClientHello::kYes);
  }
}

TEST_CASE("client hello: any version 3.x and any length are right", "[tls][client_hello]") {
  CHECK(looks_like_client_hello("\x16\x03\x00\x00\x00\x01"sv) == LooksLikeClientHello::kYes);
  CHECK(looks_like_client_hello("\x16\x03\x03\xff\xff\x01"sv) == LooksLikeClientHello::kYes);
}

TEST_CASE("client hello: the first byte that is wrong says no", "[tls][client_hello]") {
  for (const auto bytes :
       {"GET / HTTP/1.1\r\n"sv, "\x15"sv, "\x16hello"sv, "\x16\x02"sv, "\x16\x03\x10"sv,
        "\x16\x03\x01\x00\x2a\x02"sv, "\x16\x03\x01\x00\x2a\x00"sv, "\x96\x03\x01\x02\x00\x01"sv}) {
    CHECK(looks_like_client_hello(bytes) == LooksLikeClientHello::kNo);
  }
}

TEST_CASE("client hello: each byte counts", "[tls][client_hello]") {
  const std::string hello{"\x16\x03\x01\x02\x00\x01"sv};
  for (const std::size_t at : {0U, 1U, 2U, 5U}) {
    auto changed = hello;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    CHECK(looks_like_client_hello(changed) == LooksLikeClientHello::kNo);
  }
}

TEST_CASE("client hello: that of SSL 2.0 is known by five bytes", "[tls][client_hello]") {
  for (const auto hello : {"\x80\x2e\x01\x00\x02\x00\x15"sv, "\x80\xff\x01\x03\x01\x00\x15"sv,
                           "\x80\x1c\x01\x03\x00\x00\x03"sv}) {
    for (std::size_t size = 0; size <= hello.size(); ++size) {
      CHECK(looks_like_old_hello(hello.substr(0, size)) ==
            (size < kOldHelloSign ? LooksLikeClientHello::kPerhaps : LooksLikeClientHello::kYes));
    }
    CHECK(looks_like_client_hello(hello) == LooksLikeClientHello::kNo);
  }
  // Of version 1 and 4, an answer, a longer one, IAC of telnet, a price in Windows-1252.
  for (const auto bytes : {"\x80\x2e\x01\x00\x01"sv, "\x80\x2e\x01\x04\x00"sv, "\x80\x2e\x04"sv,
                           "\x81\x2e\x01\x00\x02"sv, "\xff\xfd\x01\x00\x02"sv, "\x80 12"sv}) {
    CHECK(looks_like_old_hello(bytes) == LooksLikeClientHello::kNo);
  }
}

}  // namespace
}  // namespace chatd::tls
