#include "operators/rpc.hpp"

#include <cassert>

#include "base/json.hpp"
#include "events/event_json.hpp"

namespace chatd::rpc {

namespace {

/// Deeper documents are not requests. The parser is not recursive, but freeing a tree is.
constexpr int kMaxDepth = 16;

bool acceptable_id(const nlohmann::json& id) {
  return id.is_null() || id.is_string() || id.is_number();
}

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::variant<Request, Failure> parse(std::string_view line) {
  bool too_deep = false;
  const auto guard = [&too_deep](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  nlohmann::json document = nlohmann::json::parse(line, guard, false);
  // The parser takes a NUL for the end of the text.
  const bool has_nul = line.find('\0') != std::string_view::npos;
  if (has_nul || (document.is_discarded() && !too_deep)) {
    return Failure{"null", kParseError, "the line is not JSON"};
  }
  if (too_deep || !document.is_object()) {
    return Failure{"null", kInvalidRequest, "a request is one JSON object a line"};
  }
  Request request;
  if (const auto id = document.find("id"); id != document.end()) {
    if (!acceptable_id(*id)) {
      return Failure{"null", kInvalidRequest, "id must be a number, a string or null"};
    }
    request.id = dump(*id);
  }
  const std::string answer_to = request.id.empty() ? "null" : request.id;
  const auto version = document.find("jsonrpc");
  if (version == document.end() || *version != "2.0") {
    return Failure{answer_to, kInvalidRequest, R"(jsonrpc must be "2.0")"};
  }
  const auto method = document.find("method");
  if (method == document.end() || !method->is_string()) {
    return Failure{answer_to, kInvalidRequest, "method must be a string"};
  }
  request.method = method->get<std::string>();
  request.params = nlohmann::json::object();
  if (const auto params = document.find("params"); params != document.end()) {
    if (!params->is_object()) {
      return Failure{answer_to, kInvalidParams, "params must be an object"};
    }
    request.params = std::move(*params);
  }
  return request;
}

void begin_result(std::string& out, std::string_view id) {
  assert(!id.empty());
  out += R"({"jsonrpc":"2.0","id":)";
  out += id;
  out += R"(,"result":)";
}

void end_result(std::string& out) {
  out += "}\n";
}

void append_failure(std::string& out, const Failure& failure) {
  assert(!failure.id.empty() && failure.code != 0);
  out += R"({"jsonrpc":"2.0","id":)";
  out += failure.id;
  out += R"(,"error":{"code":)";
  out += std::to_string(failure.code);
  out += R"(,"message":)";
  append_json_string(out, failure.message);
  out += "}}\n";
}

const nlohmann::json* Params::raw(const char* name) {
  const auto member = params_.find(name);
  if (member == params_.end()) return nullptr;
  ++known_;
  return &*member;
}

bool Params::has(const char* name) {
  return params_.contains(name);
}

std::uint64_t Params::id(const char* name) {
  const auto* member = raw(name);
  if (member == nullptr || !member->is_number_unsigned() || member->get<std::uint64_t>() == 0) {
    fail(std::string{name} + " must be the id of a session, a whole number from 1");
    return 0;
  }
  return member->get<std::uint64_t>();
}

std::uint64_t Params::number_or(const char* name, std::uint64_t otherwise) {
  const auto* member = raw(name);
  if (member == nullptr) return otherwise;
  if (!member->is_number_unsigned()) {
    fail(std::string{name} + " must be a whole number, 0 or more");
    return otherwise;
  }
  return member->get<std::uint64_t>();
}

bool Params::flag(const char* name) {
  const auto* member = raw(name);
  if (member == nullptr) return false;
  if (!member->is_boolean()) {
    fail(std::string{name} + " must be true or false");
    return false;
  }
  return member->get<bool>();
}

std::string Params::text(const char* name) {
  if (!has(name)) {
    fail(std::string{name} + " is missing; it must be a string");
    return {};
  }
  return text_or(name, {});
}

std::string Params::text_or(const char* name, std::string otherwise) {
  const auto* member = raw(name);
  if (member == nullptr) return otherwise;
  if (!member->is_string()) {
    fail(std::string{name} + " must be a string");
    return otherwise;
  }
  return member->get<std::string>();
}

void Params::fail(std::string message) {
  if (problem_.empty()) problem_ = std::move(message);
}

bool Params::good() {
  if (problem_.empty() && known_ != params_.size())
    fail("there are params that the method does not have");
  return problem_.empty();
}

}  // namespace chatd::rpc
