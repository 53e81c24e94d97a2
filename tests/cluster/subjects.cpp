#include "cluster/subjects.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using chatd::cluster::is_node_name;
using chatd::cluster::Subjects;
using chatd::cluster::Topic;

namespace {

TEST_CASE("subjects: the names of nodes", "[cluster][subjects]") {
  for (const auto* good : {"a", "b-2", "0123456789abcdef", "-"}) CHECK(is_node_name(good));
  for (const auto* bad : {"", "A", "a.b", "a b", "*", ">", "\xc3\xa4", "0123456789abcdefg"}) {
    INFO(bad);
    CHECK_FALSE(is_node_name(bad));
  }
}

TEST_CASE("subjects: what is written is read as the same", "[cluster][subjects]") {
  const Subjects subjects{"desk", "a"};
  CHECK(subjects.of(Topic::kEvents, "b") == "chatd.desk.ev.b");
  for (const auto topic :
       {Topic::kEvents, Topic::kBeat, Topic::kLog, Topic::kState, Topic::kCommand}) {
    const auto subject = subjects.of(topic, "b");
    INFO(subject);
    const auto address = subjects.read(subject);
    REQUIRE(address);
    CHECK(address->topic == topic);
    CHECK(address->node == "b");
  }
  CHECK(subjects.answer_to(17) == "chatd.desk.re.a.17");
  const std::string answer = subjects.answer_to(17);
  const auto address = subjects.read(answer);
  REQUIRE(address);
  CHECK(address->topic == Topic::kAnswer);
  CHECK(address->node == "a");
  CHECK(address->question == 17);
}

TEST_CASE("subjects: a node hears of all what is for all, and what is for itself",
          "[cluster][subjects]") {
  CHECK(Subjects{"desk", "a"}.own() ==
        std::vector<std::string>{"chatd.desk.ev.*", "chatd.desk.beat.*", "chatd.desk.log.a",
                                 "chatd.desk.state.a", "chatd.desk.do.a", "chatd.desk.re.a.*"});
}

TEST_CASE("subjects: what is none of this cluster says nothing", "[cluster][subjects]") {
  const Subjects subjects{"desk", "a"};
  for (const auto* subject :
       {"", "chatd.desk", "chatd.desk.", "chatd.desk.ev", "chatd.desk.ev.", "chatd.desk.ev.B",
        "chatd.desk.ev.b.c", "chatd.desks.ev.b", "chatd.other.ev.b", "chatd.desk.no.b",
        "chatd.desk.re.a", "chatd.desk.re.a.", "chatd.desk.re.a.x", "chatd.desk.re.a.1.2",
        "chatd.desk.re.a.-1", "chatd.desk.re.a.99999999999999999999"}) {
    INFO(subject);
    CHECK_FALSE(subjects.read(subject));
  }
}

}  // namespace
