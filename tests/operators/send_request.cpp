// The quick reader of `send` requests against the full parser: what the first reads,
// the second reads as the same; what people's programs write, the first does read.
#include "operators/send_request.hpp"

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "operators/rpc.hpp"
#include "support/catch.hpp"

namespace chatd {
namespace {

/// Whether the full parser reads the same request.
bool agrees(const std::string& line, const SendRequest& quick) {
  const auto parsed = rpc::parse(line);
  const auto* full = std::get_if<rpc::Request>(&parsed);
  if (full == nullptr || full->id != quick.id || full->method != "send") return false;
  if (full->params.size() != 2) return false;
  const auto& to = full->params.at("to");
  const bool same_to = quick.everyone ? to == "all" : to.is_number_unsigned() && to == quick.to;
  return same_to && full->params.at("text") == std::string{quick.text};
}

}  // namespace

TEST_CASE("send_request: the lines that programs write are read", "[operators][send_request]") {
  const auto line = GENERATE(values<std::string>({
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"hello"}})",
      R"({"jsonrpc": "2.0", "id": 7, "method": "send", "params": {"to": 3, "text": "hello"}})",
      R"({"id":7,"jsonrpc":"2.0","method":"send","params":{"text":"hello","to":3}})",
      R"({"params":{"to":3,"text":"hello"},"method":"send","id":7,"jsonrpc":"2.0"})",
      std::string{"\t"} +
          R"({ "jsonrpc" :"2.0","id":7,"method":"send","params":{"to":3,"text":"hello"} })" + "\r",
  }));
  const auto quick = read_send_request(line);
  REQUIRE(quick);
  CHECK(quick->id == "7");
  CHECK(quick->to == 3);
  CHECK_FALSE(quick->everyone);
  CHECK(quick->text == "hello");
  CHECK(agrees(line, *quick));
}

TEST_CASE("send_request: a broadcast and every plain text are read", "[operators][send_request]") {
  const auto text = GENERATE(values<std::string>({"", "a", "grüße, 你好 👋", "\x7f", "} , {"}));
  const std::string line =
      R"({"jsonrpc":"2.0","id":0,"method":"send","params":{"to":"all","text":")" + text + "\"}}";
  const auto quick = read_send_request(line);
  REQUIRE(quick);
  CHECK(quick->everyone);
  CHECK(quick->text == text);
  CHECK(agrees(line, *quick));
}

TEST_CASE("send_request: what is unusual is left to the parser", "[operators][send_request]") {
  const auto line = GENERATE(values<std::string>({
      "",
      "{}",
      "[]",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a\nb"}})",
      R"({"jsonrpc":"2.0","id":"x","method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":-7,"method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7.5,"method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":07,"method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":[3],"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3e0,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":"al","text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":9999999999999999999,"text":""}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a","text":"b"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"to":"all","text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":"all","to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"to":4,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a","more":1}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3}})",
      R"({"jsonrpc":"2.0","id":7,"method":"bye","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"1.0","id":7,"method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"id":8,"method":"send","params":{"to":3,"text":"a"}})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a"}}x)",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a"})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a"},})",
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"a",}})",
      "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"send\",\"params\":{\"to\":3,\"text\":\"\xC3\"}}",
      "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"send\",\"params\":{\"to\":3,\"text\":\"a\tb\"}}",
      std::string{"\0{}", 3},
  }));
  CAPTURE(line);
  CHECK_FALSE(read_send_request(line));
}

TEST_CASE("send_request: a damaged line is never read otherwise than by the parser",
          "[operators][send_request]") {
  // Pieces of requests, joined, doubled, dropped and damaged at random.
  const std::vector<std::string> pieces{"{",
                                        "}",
                                        ",",
                                        ":",
                                        "\"",
                                        " ",
                                        R"("jsonrpc":"2.0")",
                                        R"("id")",
                                        "7",
                                        R"("id":12)",
                                        R"("to")",
                                        R"("to":3)",
                                        R"("to":"all")",
                                        R"("method":"send")",
                                        R"("method")",
                                        R"("send")",
                                        R"("params":{)",
                                        R"("text":"x")",
                                        R"("text":")",
                                        "\\n",
                                        "\xC3\xA9",
                                        "\xFF",
                                        "0",
                                        "-",
                                        "1e3",
                                        "\t",
                                        "\r",
                                        "null",
                                        "[",
                                        "]"};
  const std::string whole =
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":3,"text":"hello"}})";
  std::mt19937 random{20};
  const auto upto = [&random](std::size_t count) { return random() % count; };
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string line = whole;
    for (auto changes = upto(4); changes > 0; --changes) {
      const auto at = upto(line.size() + 1);
      switch (upto(4)) {
        case 0:
          line.insert(at, pieces[upto(pieces.size())]);
          break;
        case 1:
          line.erase(at, upto(9));
          break;
        case 2:
          line.insert(at, line.substr(upto(line.size() + 1), upto(30)));
          break;
        default:
          if (at < line.size()) line[at] = static_cast<char>(random());
          break;
      }
    }
    const auto quick = read_send_request(line);
    if (!quick) continue;
    ++read;
    CAPTURE(line);
    if (!agrees(line, *quick)) FAIL("it is read as another request");
  }
  CHECK(read > 50'000);
}

}  // namespace chatd
