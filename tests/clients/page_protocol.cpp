// Frames of chat.chatd.v1: a table of what comes in, one of what goes out.
#include "clients/page_protocol.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "support/catch.hpp"

namespace chatd::page {
namespace {

std::string shown(const Frame& frame) {
  struct {
    std::string operator()(Fault fault) const { return "! " + std::string{to_string(fault)}; }
    std::string operator()(const Hello& hello) const {
      return "hello " + hello.resume + " " + std::to_string(hello.seen);
    }
    std::string operator()(const Say& say) const { return "say " + say.id + " " + say.text; }
    std::string operator()(const Seen& seen) const { return "seen " + std::to_string(seen.seq); }
    std::string operator()(Ping) const { return "ping"; }
    std::string operator()(Bye) const { return "bye"; }
    std::string operator()(Unknown) const { return "unknown"; }
  } show;
  return std::visit(show, frame);
}

TEST_CASE("page protocol: what a page says", "[clients][page]") {
  const auto kNotJson = "! a frame is not JSON";
  const auto kNoType = "! a frame is a JSON object with a type";
  const auto kHello = "! in a hello, resume is a string, and seen a whole number";
  const auto kSay = "! a say has a text, and an id of 1 to 64 letters, digits and hyphens";
  const auto kSeen = "! in a seen, seq is a whole number";
  struct Row {
    std::string frame;
    std::string is;
  };
  const auto row = GENERATE_COPY(values<Row>({
      {R"({"type":"hello","seen":0})", "hello  0"},
      {R"({"type":"hello"})", "hello  0"},
      {R"({"seen":7,"more":[{}],"resume":"abc","type":"hello"})", "hello abc 7"},
      {R"({"type":"hello","seen":9007199254740991})", "hello  9007199254740991"},
      {R"({"type":"hello","seen":9007199254740992})", kHello},
      {R"({"type":"hello","seen":-1})", kHello},
      {R"({"type":"hello","seen":1.5})", kHello},
      {R"({"type":"hello","seen":"1"})", kHello},
      {R"({"type":"hello","seen":null})", kHello},
      {R"({"type":"hello","resume":null})", kHello},
      {R"({"type":"hello","resume":7})", kHello},
      {R"({"type":"say","id":"a-Z9","text":"hi"})", "say a-Z9 hi"},
      {R"({"type":"say","id":"a","text":""})", "say a "},
      {R"({"type":"say","id":"a","text":"\u0041\ud83d\ude00\n"})", "say a A\xF0\x9F\x98\x80\n"},
      {R"({"type":"say","id":"","text":"hi"})", kSay},
      {R"({"type":"say","id":"a_b","text":"hi"})", kSay},
      {R"({"type":"say","id":"a\u0000","text":"hi"})", kSay},
      {R"({"type":"say","id":1,"text":"hi"})", kSay},
      {R"({"type":"say","text":"hi"})", kSay},
      {R"({"type":"say","id":"a"})", kSay},
      {R"({"type":"say","id":"a","text":["hi"]})", kSay},
      {R"({"type":"seen","seq":3})", "seen 3"},
      {R"({"type":"seen","seq":"3"})", kSeen},
      {R"({"type":"seen"})", kSeen},
      {R"({"type":"ping"})", "ping"},
      {R"({"type":"bye","why":null})", "bye"},
      {R"({"type":"dance"})", "unknown"},
      {R"({"type":""})", "unknown"},
      {R"({"type":1})", kNoType},
      {"{}", kNoType},
      {"[]", kNoType},
      {"null", kNoType},
      {R"("hello")", kNoType},
      {"", kNotJson},
      {"hello", kNotJson},
      {R"({"type":"ping"} {})", kNotJson},
      {R"({"type":"ping",})", kNotJson},
      {"{\"type\":\"say\",\"id\":\"a\",\"text\":\"\xFF\"}", kNotJson},
      {R"({"type":"say","id":"a","text":"\ud83d"})", kNotJson},
      {std::string{R"({"type":"ping"})"} + '\0' + "x", kNotJson},
  }));
  CAPTURE(row.frame);
  CHECK(shown(parse(row.frame)) == row.is);
}

TEST_CASE("page protocol: an id has at most 64 characters", "[clients][page]") {
  CHECK(is_id(std::string(64, 'a')));
  CHECK_FALSE(is_id(std::string(65, 'a')));
}

TEST_CASE("page protocol: depth is bounded, whatever it costs to free", "[clients][page]") {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"ping","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(shown(parse(nested(kMostDepth - 1))) == "ping");
  CHECK(shown(parse(nested(kMostDepth + 1))) == "! a frame is a JSON object with a type");
  CHECK(std::holds_alternative<Fault>(parse(std::string(1'000'000, '['))));
}

TEST_CASE("page protocol: what the daemon says", "[clients][page]") {
  const WallTime date{Duration{1'795'953'600'123}};
  std::string out;
  append_welcome(out, {.resume = "T", .resumed = true, .wait = 600, .max_text = 65536});
  CHECK(out == R"({"type":"welcome","resume":"T","resumed":true,"for":600,"max_text":65536,)"
               R"("ping":25})");
  out.clear();
  append_from_operator(out, 7, date, "ann", "hi");
  CHECK(out == R"({"type":"message","seq":7,"time":"2026-11-29T12:00:00.123Z",)"
               R"("from":"operator","name":"ann","text":"hi"})");
  out.clear();
  append_from_operator(out, 7, date, "", "hi");
  CHECK(out == R"({"type":"message","seq":7,"time":"2026-11-29T12:00:00.123Z",)"
               R"("from":"operator","text":"hi"})");
  out.clear();
  append_from_desk(out, 8, date, "welcome");
  CHECK(out == R"({"type":"message","seq":8,"time":"2026-11-29T12:00:00.123Z",)"
               R"("from":"desk","text":"welcome"})");
  out.clear();
  append_from_visitor(out, 9, date, "x-1", "me");
  CHECK(out == R"({"type":"message","seq":9,"time":"2026-11-29T12:00:00.123Z",)"
               R"("from":"visitor","id":"x-1","text":"me"})");
  out.clear();
  append_taken(out, "x-1", 9, date);
  CHECK(out == R"({"type":"taken","id":"x-1","seq":9,"time":"2026-11-29T12:00:00.123Z"})");
  out.clear();
  append_refused(out, "x-1", kTooMuch);
  CHECK(out == R"({"type":"refused","id":"x-1","reason":"too much at once"})");
  out.clear();
  append_writing(out, "ann");
  append_writing(out, "");
  CHECK(out == R"({"type":"writing","name":"ann"}{"type":"writing"})");
  out.clear();
  append_away(out, "later");
  append_bye(out, "");
  CHECK(out == R"({"type":"away","text":"later"}{"type":"bye","text":""})");
}

TEST_CASE("page protocol: every text arrives as it is", "[clients][page]") {
  using namespace std::string_literals;
  const auto text = "\"\\\n\r\t\0\x1B[1m </script> \xE2\x80\xAE \xF0\x9F\x98\x80 e\xCC\x81"s;
  std::string out;
  append_from_operator(out, 1, WallTime{}, text, text);
  const auto frame = nlohmann::json::parse(out);
  CHECK(frame["text"] == text);
  CHECK(frame["name"] == text);
}

}  // namespace
}  // namespace chatd::page
