// One line of the control protocol: whatever it is, the result is a request or one sentence
// that says why not; params are read without a crash; the answer is a line of JSON that is
// safe for a terminal, and carries the id of the request.
#include "operators/rpc.hpp"

#include <string>
#include <string_view>
#include <variant>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "operators/requests.hpp"

namespace {

using chatd::fuzz::must;
using nlohmann::json;

json check_line(std::string_view line) {
  must(line.ends_with('\n'), "an answer is not a line");
  line.remove_suffix(1);
  must(chatd::escaped(line) == line, "an answer could deceive a terminal");
  auto answer = json::parse(line, nullptr, false);
  must(answer.is_object() && answer["jsonrpc"] == "2.0", "an answer is not JSON-RPC");
  must(answer.contains("result") != answer.contains("error"), "both result and error");
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line{reinterpret_cast<const char*>(data), size};
  auto parsed = chatd::rpc::parse(line);
  std::string out;
  if (const auto* failure = std::get_if<chatd::rpc::Failure>(&parsed)) {
    must(failure->code < 0 && !failure->message.empty(), "a failure without a reason");
    chatd::rpc::append_failure(out, *failure);
    const auto answer = check_line(out);
    must(answer["error"]["message"] == failure->message, "the reason is another one");
    return 0;
  }

  const auto& request = std::get<chatd::rpc::Request>(parsed);
  must(request.params.is_object(), "params are no object");
  const auto document = json::parse(line, nullptr, false);
  must(document.is_object(), "another reader sees no request");
  must(document.contains("id") == !request.id.empty(), "whether it wants an answer");

  chatd::rpc::Params params{request.params};
  (void)params.id("session");
  (void)params.number_or("since", 0);
  const std::string name = params.text_or("name", {});
  chatd::check_name(params, name);
  (void)params.text("text");
  chatd::Reply reply;
  reply.id = request.id;
  if (reply.accept(params)) {
    must(name.size() <= 64 && name.find('\n') == std::string::npos, "a name of several lines");
    std::string text = "\"";
    chatd::append_json(text, params.text("text"));
    reply.result(text + '"');
  }
  must(request.id.empty() == reply.out.empty(), "whether it got an answer");
  if (!reply.out.empty()) {
    const auto answer = check_line(reply.out);
    const auto& asked = document["id"];
    // A text may not be UTF-8, and a number not finite: those come back in another form.
    if (!asked.is_string() && !asked.is_number_float()) must(answer["id"] == asked, "another id");
  }
  return 0;
}
