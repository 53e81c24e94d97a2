/// JSON-RPC 2.0, one object a line: a line becomes a request, a result or an error becomes a
/// line. Knows no method. Trees of JSON are built here alone, and of what pages say in
/// clients/page_protocol.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

namespace chatd::rpc {

// Codes of JSON-RPC itself.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
// Codes of chatd.
inline constexpr int kNoSession = 1;
inline constexpr int kClaimed = 2;
inline constexpr int kNotAllowed = 3;
inline constexpr int kLimit = 4;
inline constexpr int kReplaced = 5;  ///< not done, because another process takes over

// A tree of JSON may need memory while it is destroyed. Without memory the process ends.
// NOLINTNEXTLINE(bugprone-exception-escape)
struct Request {
  std::string id;  ///< as JSON; empty for a notification, which is never answered
  std::string method;
  nlohmann::json params;  ///< an object; empty if there were none
};

/// Why something was not done; `message` is a sentence for a person.
struct Failure {
  std::string id;  ///< as JSON, "null" if it could not be read
  int code = 0;
  std::string message;
};

/// Reads one line (without its LF).
std::variant<Request, Failure> parse(std::string_view line);

/// Append what stands before and behind the result, in the line that answers request `id`.
void begin_result(std::string& out, std::string_view id);
void end_result(std::string& out);
/// Appends the line that answers with an error.
void append_failure(std::string& out, const Failure& failure);

/// Reads the members of a request's params, each once at most. The first thing that is wrong is
/// kept; once all are read, a member that was not asked for is wrong, too.
class Params {
 public:
  explicit Params(const nlohmann::json& params) : params_{params} {}

  /// A positive whole number, as a session's id is.
  std::uint64_t id(const char* name);
  /// A whole number that is not negative; `otherwise` if it is missing.
  std::uint64_t number_or(const char* name, std::uint64_t otherwise);
  bool has(const char* name);
  /// True or false; false if it is missing.
  bool flag(const char* name);
  std::string text(const char* name);
  std::string text_or(const char* name, std::string otherwise);
  /// The member as it is; null if it is missing.
  const nlohmann::json* raw(const char* name);

  void fail(std::string message);
  /// To be called when all members are read. True if nothing is wrong.
  [[nodiscard]] bool good();
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const nlohmann::json& params_;
  std::size_t known_ = 0;
  std::string problem_;
};

}  // namespace chatd::rpc
