#include "service/handover.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

using chatd::service::disclose;
using chatd::service::enclose;

TEST_CASE("handover: what is enclosed comes out again", "[service][handover]") {
  for (const std::string& body :
       {std::string{}, std::string(100'000, 'x'), std::string{"\0\n", 2}}) {
    const auto document = enclose(body);
    auto read = disclose(document);
    REQUIRE(read);
    CHECK(read->body == body);
    CHECK(read->version == chatd::kSavedVersion);
  }
}

TEST_CASE("handover: another version is named", "[service][handover]") {
  const auto document = enclose("body", 99);
  auto read = disclose(document);
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("version 99") != std::string::npos);
}

TEST_CASE("handover: no byte can be changed, added or taken away", "[service][handover]") {
  const auto good = enclose("a body of some bytes");
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      auto bytes = good;
      bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ flip);
      if (disclose(bytes)) FAIL("byte " << place);
    }
    if (disclose(good.substr(0, place))) FAIL("the first " << place << " bytes");
  }
  CHECK_FALSE(disclose(good + '\0'));
}

TEST_CASE("handover: a document is taken once", "[service][handover]") {
  auto file = chatd::service::make_memory_file("what is left");
  REQUIRE(file);
  auto taken = chatd::service::read_once(file->get());
  REQUIRE(taken);
  CHECK(*taken == "what is left");
  taken = chatd::service::read_once(file->get());
  REQUIRE(taken);
  CHECK(taken->empty());
}

TEST_CASE("handover: what is left to another process is not taken", "[service][handover]") {
  for (const char* value : {"1:5", "", ":", "x:y", "5", "99999999999999999999:3"}) {
    ::setenv("CHATD_HANDOVER", value, 1);
    CHECK_FALSE(chatd::service::take_left().document);
    CHECK(std::getenv("CHATD_HANDOVER") == nullptr);
  }
  // Not even where there is what it names: a child has the descriptors of the process.
  auto file = chatd::service::make_memory_file("what is left");
  REQUIRE(file);
  const auto left_to = [&](pid_t process) {
    const int inherited = ::fcntl(file->get(), F_DUPFD, 3);
    const auto value = std::to_string(process) + ':' + std::to_string(inherited) + ":7:8";
    ::setenv("CHATD_HANDOVER", value.c_str(), 1);
    auto left = chatd::service::take_left();
    if (!left.document) ::close(inherited);
    return left;
  };
  CHECK_FALSE(left_to(::getppid()).document);
  const auto left = left_to(::getpid());
  CHECK(left.document);
  CHECK(left.kept == std::vector<int>{7, 8});
}

TEST_CASE("handover: a checked configuration is taken once, and nothing else for one",
          "[service][handover]") {
  using chatd::service::take_checked_config;
  const auto name = [](int descriptor) {
    const auto variable = chatd::service::checked_config_variable(descriptor);
    const auto equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  };
  const auto inherited = [](const std::string& content) {
    auto file = chatd::service::make_memory_file(content);
    REQUIRE(file);
    return ::fcntl(file->get(), F_DUPFD, 3);
  };
  CHECK_FALSE(take_checked_config());
  name(inherited(enclose("what was checked")));
  CHECK(take_checked_config() == "what was checked");
  CHECK_FALSE(take_checked_config());
  name(inherited("something else"));
  CHECK_FALSE(take_checked_config());
  name(-1);
  CHECK_FALSE(take_checked_config());
  // What is not in memory is somebody else's, and stays open.
  const int other = ::open("/dev/null", O_RDONLY);
  REQUIRE(other > 2);
  name(other);
  CHECK_FALSE(take_checked_config());
  CHECK(::fcntl(other, F_GETFD) == 0);
  ::close(other);
}
