#include "cluster/beat.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using chatd::cluster::Beat;

namespace {

Beat beat() {
  Beat beat;
  beat.log = std::string(32, 'a');
  beat.boot = std::string(16, 'b');
  beat.version = "0.2.0";
  beat.last = 1234;
  beat.time = chatd::WallTime{std::chrono::milliseconds{1'764'489'000'123}};
  beat.sessions = 12;
  beat.operators = {{"ann", false, false, ""},
                    {"zw\xc3\xb6lf", true, false, "back at \"ten\""},
                    {"wall", false, true, ""}};
  beat.has = {{"b", std::string(32, '1'), 17}, {"c-1", std::string(32, '2'), 0}};
  return beat;
}

std::string fault_of(std::string_view line) {
  auto read = Beat::read(line);
  return read ? std::string{} : read.error().message;
}

/// The line of a good beat in which `part` stands as `other`.
std::string with(std::string_view part, std::string_view other) {
  std::string line = beat().written();
  const auto place = line.find(part);
  REQUIRE(place != std::string::npos);
  return line.replace(place, part.size(), other);
}

TEST_CASE("beat: what is written is read as the same", "[cluster][beat]") {
  for (const bool empty : {false, true}) {
    Beat written = beat();
    if (empty) {
      written.operators.clear();
      written.has.clear();
    }
    auto read = Beat::read(written.written());
    REQUIRE(read);
    CHECK(*read == written);
  }
}

TEST_CASE("beat: of one that says more, what is known is read", "[cluster][beat]") {
  auto read = Beat::read(with(R"("last")", R"("mood":"good","last")"));
  REQUIRE(read);
  CHECK(*read == beat());
}

TEST_CASE("beat: of another protocol, who says it is known", "[cluster][beat]") {
  auto read = Beat::read(with(R"("protocol":1,"last":1234)", R"("protocol":2,"last":"far")"));
  REQUIRE(read);
  CHECK(read->protocol == 2);
  CHECK(read->version == "0.2.0");
  CHECK(read->last == 0);
}

TEST_CASE("beat: what is none is refused", "[cluster][beat]") {
  CHECK(fault_of("x") == "the line is not JSON");
  CHECK(fault_of(with(R"("beat")", R"("beats")")) == "that is no beat");
  CHECK(fault_of(with("aaaa", "AAAA")) == "log is none");
  CHECK(fault_of(with("bbbb", "bbb")) == "boot is none");
  CHECK(fault_of(with("0.2.0", "")) == "version is none");
  CHECK(fault_of(with("0.2.0", std::string(33, '1'))) == "version is none");
  CHECK(fault_of(with("0.2.0", "0\xc2\x9b")).starts_with("version must not"));
  CHECK(fault_of(with("1234", "-1")) == "last must be a whole number, 0 or more");
  CHECK(fault_of(with("1234", "9007199254740993")) == "a number is too large");
  CHECK(fault_of(with("1764489000123", "9007199254740993")) == "a number is too large");
  CHECK(fault_of(with("\"ann\"", "\"\"")) == "an operator has no name");
  CHECK(fault_of(with("\"ann\"", "1")) == "name must be a string");
  CHECK(fault_of(with("\"ann\"", '"' + std::string(65, 'x') + '"')) == "an operator has no name");
  CHECK(fault_of(with("\"ann\"", "\" ann\"")).starts_with("the name of an operator must not"));
  CHECK(fault_of(with("back at", std::string(2000, 'x'))) == "text is too long");
  CHECK(fault_of(with("\"c-1\"", "\"c.1\"")) == "has says nothing of a node");
  CHECK(fault_of(with("1111", "")) == "has says nothing of a node");
  CHECK(fault_of(with(R"({"name":"ann"})", "3")) == "operators has one that is none");
  Beat many = beat();
  many.operators.assign(Beat::kMostOperators + 1, {"ann", false, false, ""});
  CHECK(fault_of(many.written()) == "operators is no list");
  many = beat();
  many.has.assign(chatd::cluster::kMostNodes + 1, {"b", std::string(32, '1'), 17});
  CHECK(fault_of(many.written()) == "has is no list");
  CHECK(fault_of(std::string(Beat::kMostBytes + 1, ' ')) == "a beat is too long");
}

}  // namespace
