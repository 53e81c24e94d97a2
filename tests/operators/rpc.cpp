/// JSON-RPC lines, as tables: a request, or the code of the error.
#include "operators/rpc.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

using nlohmann::json;
using rpc::Failure;
using rpc::Params;
using rpc::Request;

/// The code of the failure; 0 for a request.
int code_of(std::string_view line) {
  const auto parsed = rpc::parse(line);
  const auto* failure = std::get_if<Failure>(&parsed);
  return failure == nullptr ? 0 : failure->code;
}

std::string answered_id(std::string_view line) {
  const auto parsed = rpc::parse(line);
  if (const auto* failure = std::get_if<Failure>(&parsed)) return failure->id;
  return std::get<Request>(parsed).id;
}

std::string with_params(const std::string& params) {
  return R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + params + "}";
}

TEST_CASE("rpc: a line is a request or a failure with its code", "[operators][rpc]") {
  const std::vector<std::pair<std::string, int>> rows{
      {R"({"jsonrpc":"2.0","id":1,"method":"m"})", 0},
      {R"({"jsonrpc":"2.0","method":"m"})", 0},
      {R"(  { "jsonrpc" : "2.0" , "method" : "m" }  )"
       "\r",
       0},
      {R"({"jsonrpc":"2.0","id":"x","method":"","params":{}})", 0},
      {R"({"jsonrpc":"2.0","id":null,"method":"m","more":[1,2]})", 0},
      // Not JSON.
      {"", rpc::kParseError},
      {"\r", rpc::kParseError},
      {"hello", rpc::kParseError},
      {"{", rpc::kParseError},
      {"{}}", rpc::kParseError},
      {R"({"jsonrpc":"2.0","id":1,"method":"m"} x)", rpc::kParseError},
      {R"({"jsonrpc":"2.0","id":1,"method":"m",})", rpc::kParseError},
      {R"({"jsonrpc":"2.0","id":01,"method":"m"})", rpc::kParseError},
      {R"({'jsonrpc':'2.0'})", rpc::kParseError},
      {R"({"jsonrpc":"2.0",/**/"method":"m"})", rpc::kParseError},
      {R"({"jsonrpc":"2.0","id":NaN,"method":"m"})", rpc::kParseError},
      {R"({"jsonrpc":"2.0","id":1e999,"method":"m"})", rpc::kParseError},
      // JSON, but no request.
      {"{}", rpc::kInvalidRequest},
      {"[]", rpc::kInvalidRequest},
      {"null", rpc::kInvalidRequest},
      {"1", rpc::kInvalidRequest},
      {R"("x")", rpc::kInvalidRequest},
      {R"([{"jsonrpc":"2.0","id":1,"method":"m"}])", rpc::kInvalidRequest},
      {R"({"id":1,"method":"m"})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"1.0","id":1,"method":"m"})", rpc::kInvalidRequest},
      {R"({"jsonrpc":2.0,"id":1,"method":"m"})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":1})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":1,"method":1})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":1,"method":null})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":{},"method":"m"})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":[1],"method":"m"})", rpc::kInvalidRequest},
      {R"({"jsonrpc":"2.0","id":true,"method":"m"})", rpc::kInvalidRequest},
      {with_params("[]"), rpc::kInvalidParams},
      {with_params("null"), rpc::kInvalidParams},
      {with_params("1"), rpc::kInvalidParams},
  };
  for (const auto& [line, code] : rows) {
    INFO(line);
    CHECK(code_of(line) == code);
  }
}

TEST_CASE("rpc: what is not UTF-8, or half a surrogate, or followed by NUL is not JSON",
          "[operators][rpc]") {
  for (const std::string bad : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\\ud800", "\\udc00",
                                "\\ud800x", "\\ud800\\ud800", "\\x", "\n", "\t"}) {
    INFO(bad);
    CHECK(code_of(with_params(R"({"text":")" + bad + R"("})")) == rpc::kParseError);
  }
  CHECK(code_of(with_params("{}") + std::string(1, '\0')) == rpc::kParseError);
  CHECK(code_of(with_params("{}") + std::string{"\0{", 2}) == rpc::kParseError);
  CHECK(code_of(std::string(1, '\0')) == rpc::kParseError);
  const auto parsed = rpc::parse(with_params(R"({"text":"\ud83d\ude00\u0000"})"));
  CHECK(std::get<Request>(parsed).params["text"] == "\U0001F600" + std::string(1, '\0'));
}

TEST_CASE("rpc: depth is bounded, and a million brackets are refused like seventeen",
          "[operators][rpc]") {
  const auto nested = [](std::size_t depth) {
    return with_params(R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
  };
  CHECK(code_of(nested(10)) == 0);
  CHECK(code_of(nested(17)) == rpc::kInvalidRequest);
  CHECK(code_of(nested(500'000)) == rpc::kInvalidRequest);
  CHECK(code_of(std::string(1'000'000, '[')) == rpc::kInvalidRequest);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  CHECK(code_of(objects) == rpc::kInvalidRequest);
  // As wide as a line can be is only wide.
  std::string wide = "[0";
  for (int i = 0; i < 300'000; ++i) wide += ",0";
  CHECK(code_of(with_params(R"({"to":)" + wide + "]}")) == 0);
}

TEST_CASE("rpc: if a member occurs twice, the last one counts", "[operators][rpc]") {
  const auto parsed = rpc::parse(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"b",)"
                                 R"("params":{"x":1,"x":2}})");
  const auto& request = std::get<Request>(parsed);
  CHECK(request.id == "2");
  CHECK(request.method == "b");
  CHECK(request.params == json{{"x", 2}});
}

TEST_CASE("rpc: an answer goes to the id that was given", "[operators][rpc]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"1", "1"},
      {"-7", "-7"},
      {"1.5", "1.5"},
      {"18446744073709551615", "18446744073709551615"},
      {R"("x")", R"("x")"},
      {R"("a\"\\\n\u0000")", R"("a\"\\\n\u0000")"},
      {R"("\u202eé")", R"("\u202e\u00e9")"},  // an answer is ASCII
      {R"("")", R"("")"},
      {"null", "null"},
  };
  for (const auto& [id, answered] : rows) {
    INFO(id);
    CHECK(answered_id(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"m"})") == answered);
    CHECK(answered_id(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":1})") == answered);
  }
  CHECK(answered_id(R"({"jsonrpc":"2.0","method":"m"})").empty());
  CHECK(answered_id(R"({"jsonrpc":"2.0","method":1})") == "null");
  CHECK(answered_id("x") == "null");
}

TEST_CASE("rpc: results and failures are these very lines", "[operators][rpc]") {
  std::string out;
  rpc::begin_result(out, "7");
  out += "{\"a\":1}";
  rpc::end_result(out);
  rpc::append_failure(out, {"\"x\"", 4, "say \"no\"\n\x1b"});
  CHECK(out ==
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":4,"
        "\"message\":\"say \\\"no\\\"\\n\\u001b\"}}\n");
}

TEST_CASE("rpc: params are read by name and kind", "[operators][rpc]") {
  const json object = json::parse(R"({"session":3,"text":"hi","count":0})");
  Params params{object};
  CHECK(params.id("session") == 3);
  CHECK(params.text("text") == "hi");
  CHECK(params.number_or("count", 9) == 0);
  CHECK(params.number_or("missing", 9) == 9);
  CHECK(params.text_or("missing", "else") == "else");
  CHECK(params.raw("missing") == nullptr);
  CHECK(params.good());
}

TEST_CASE("rpc: an id is a whole number from 1", "[operators][rpc]") {
  for (const char* id : {"0", "-1", "-0", "1.0", "1e3", "18446744073709551616", "\"1\"", "null",
                         "true", "[1]", "{}"}) {
    INFO(id);
    const json object = json::parse(R"({"session":)" + std::string{id} + "}");
    Params params{object};
    CHECK(params.id("session") == 0);
    CHECK_FALSE(params.good());
    CHECK(params.problem() == "session must be the id of a session, a whole number from 1");
  }
  const json largest = json::parse(R"({"session":18446744073709551615})");
  Params params{largest};
  CHECK(params.id("session") == 18446744073709551615U);
  CHECK(params.good());
}

TEST_CASE("rpc: the first thing that is wrong with params is told", "[operators][rpc]") {
  const json object = json::parse(R"({"name":1,"since":-1})");
  Params params{object};
  CHECK(params.text("text").empty());
  CHECK(params.text_or("name", "else") == "else");
  CHECK(params.number_or("since", 5) == 5);
  CHECK_FALSE(params.good());
  CHECK(params.problem() == "text is missing; it must be a string");
}

TEST_CASE("rpc: params that nobody asked for are wrong", "[operators][rpc]") {
  const json object = json::parse(R"({"session":1,"sesion":2})");
  Params params{object};
  CHECK(params.id("session") == 1);
  CHECK_FALSE(params.good());
  CHECK_FALSE(params.problem().empty());
}

}  // namespace
}  // namespace chatd::test
