#include "clients/ways.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using chatd::Way;
using chatd::Ways;

TEST_CASE("a way is kept once, however many came so, and as long as one of them is here",
          "[ways]") {
  Ways ways;
  const Way tls{"", "", "TLSv1.3 TLS_AES_256_GCM_SHA384"};
  const auto first = ways.take(tls);
  CHECK(ways.take(tls) == first);
  const auto other = ways.take({"ann", "", tls.tls});
  CHECK(other != first);
  CHECK(ways.size() == 2);
  CHECK(ways.at(first) == tls);
  CHECK(ways.at(other).verified == "ann");

  ways.give_back(first);
  CHECK(ways.at(first) == tls);
  ways.give_back(first);
  CHECK(ways.size() == 1);
  CHECK(ways.at(other).verified == "ann");
  // Its number may be another's now.
  const auto third = ways.take({"", "192.0.2.1:99", ""});
  CHECK(ways.at(third).via == "192.0.2.1:99");
  CHECK(ways.at(other).verified == "ann");
}

TEST_CASE("a bare socket is no way, and nothing to give back", "[ways]") {
  Ways ways;
  CHECK(ways.take({}) == Ways::kBare);
  ways.give_back(Ways::kBare);
  CHECK(ways.at(Ways::kBare).empty());
  CHECK(ways.size() == 0);
}

TEST_CASE("ways that come and go in any order are told apart", "[ways]") {
  Ways ways;
  std::vector<Ways::Number> numbers;
  const auto way_of = [](int i) { return Way{std::to_string(i / 2), "", "TLSv1.3"}; };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) numbers.push_back(ways.take(way_of(i)));
    CHECK(ways.size() == 50);
    for (int i = 0; i < 100; ++i) {
      const int at = i * 37 % 100;
      CHECK(ways.at(numbers[static_cast<std::size_t>(at)]) == way_of(at));
      ways.give_back(numbers[static_cast<std::size_t>(at)]);
    }
    CHECK(ways.size() == 0);
    numbers.clear();
  }
}
