#include "io/endpoint.hpp"
#include "support/catch.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

using chatd::io::Endpoint;

TEST_CASE("endpoint: text and endpoint are the same thing", "[io][endpoint]") {
  struct Row {
    const char* text;
    const char* address;
    std::uint16_t port;
  };
  const Row row = GENERATE(values<Row>({
      {"127.0.0.1:8080", "127.0.0.1", 8080},
      {"0.0.0.0:0", "0.0.0.0", 0},
      {"[::]:65535", "::", 65535},
      {"[::1]:1", "::1", 1},
      {"[fe80::1%lo]:23", "fe80::1%lo", 23},
      {"unix:/run/chatd/chat.sock", "unix:/run/chatd/chat.sock", 0},
      {"unix:/tmp/with:colon", "unix:/tmp/with:colon", 0},
  }));
  INFO(row.text);
  auto parsed = Endpoint::parse(row.text);
  REQUIRE(parsed);
  CHECK(*parsed == Endpoint{row.address, row.port});
  CHECK(parsed->to_string() == row.text);
  sockaddr_storage address{};
  auto length = parsed->to_socket_address(address);
  REQUIRE(length);
  CHECK(Endpoint::of(address, *length) == *parsed);
}

TEST_CASE("endpoint: what is not one is refused with what would be right", "[io][endpoint]") {
  const std::string right =
      "; ADDR:PORT, [IPV6]:PORT or unix:/PATH would be right, e.g. 127.0.0.1:8080";
  struct Row {
    std::string text;
    std::string why;
  };
  const Row row = GENERATE_COPY(values<Row>({
      {"", "there is no port"},
      {"8080", "there is no port"},
      {"127.0.0.1", "there is no port"},
      {":8080", "'' is not an IPv4 or IPv6 address"},
      {"127.0.0.1:", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:65536", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:-1", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:80x", "the port is not a number from 0 to 65535"},
      {"127.0.0.1: 80", "the port is not a number from 0 to 65535"},
      {"127.1:80", "'127.1' is not an IPv4 or IPv6 address"},
      {"localhost:80", "'localhost' is not an IPv4 or IPv6 address"},
      {"::1:80", "an IPv6 address belongs in brackets"},
      {"[127.0.0.1]:80", "only an IPv6 address belongs in brackets"},
      {"[::1]", "there is no port"},
      {"[::g]:80", "'::g' is not an IPv4 or IPv6 address"},
      {"[fe80::1%no-such]:80", "'fe80::1%no-such' is not an IPv4 or IPv6 address"},
      {"unix:", "the path does not begin with /"},
      {"unix:chat.sock", "the path does not begin with /"},
      {std::string("unix:/a\0b", 9), "the path has a NUL in it"},
      {"unix:/" + std::string(107, 'p'),
       "the path of a unix socket has at most 107 bytes, this one has 108"},
  }));
  INFO(row.text);
  auto parsed = Endpoint::parse(row.text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == row.text + ": " + row.why + right);
}

TEST_CASE("endpoint: an IPv4 peer of an IPv6 socket is shown as IPv4", "[io][endpoint]") {
  sockaddr_storage storage{};
  auto length = Endpoint{"::ffff:192.0.2.7", 9}.to_socket_address(storage);
  REQUIRE(length);
  CHECK(Endpoint::of(storage, *length).to_string() == "192.0.2.7:9");
}

TEST_CASE("endpoint: what a unix peer chose as its name cannot reach a terminal",
          "[io][endpoint]") {
  const auto of = [](std::string_view name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    sockaddr_storage storage{};
    std::memcpy(&storage, &address, sizeof address);
    return Endpoint::of(storage,
                        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()))
        .to_string();
  };
  CHECK(of("") == "unix:");
  CHECK(of("/tmp/a") == "unix:/tmp/a");
  CHECK(of({"/tmp/a\0\0\0", 9}) == "unix:/tmp/a");
  CHECK(of({"\0abstract\0name", 14}) == "unix:@abstract?name");
  CHECK(of("/tmp/\x1b[31m\x9b\n") == "unix:/tmp/?[31m??");
}
