#include "cluster/beat.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "base/json.hpp"
#include "base/most_number.hpp"
#include "base/names.hpp"
#include "cluster/subjects.hpp"
#include "operators/attendance.hpp"
#include "operators/requests.hpp"
#include "operators/rpc.hpp"

namespace chatd::cluster {

namespace {

constexpr std::string_view kWord = "beat";
constexpr std::size_t kBootDigits = 16;
constexpr std::size_t kMostVersion = 32;

bool is_boot(std::string_view text) {
  return text.size() == kBootDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void append_text(std::string& out, std::string_view before, std::string_view text) {
  out += before;
  append_json_string(out, text);
}

void append(std::string& out, std::string_view before, std::uint64_t number) {
  out += before;
  append_number(out, number);
}

/// Calls `read(params)` for each object of a list of at most `most`; what is wrong in one is wrong
/// in `all`.
template <class Read>
void read_list(rpc::Params& all, const char* name, std::size_t most, Read read) {
  const auto* const list = all.raw(name);
  if (list == nullptr) return;
  if (!list->is_array() || list->size() > most) return all.fail(std::string{name} + " is no list");
  for (const auto& item : *list) {
    if (!item.is_object()) return all.fail(std::string{name} + " has one that is none");
    rpc::Params params{item};
    const std::string fault = read(params);
    if (!params.problem().empty()) return all.fail(params.problem());
    if (!fault.empty()) return all.fail(fault);
  }
}

std::string read_operator(rpc::Params& params, Beat& beat) {
  Beat::Operator one;
  one.name = params.text("name");
  one.away = params.flag("away");
  one.watching = params.flag("watching");
  one.text = params.text_or("text", {});
  if (one.name.empty() || one.name.size() > kMaxName) return "an operator has no name";
  if (const auto fault = fault_of_name(one.name); !fault.empty()) {
    return "the name of an operator " + std::string{fault};
  }
  if (one.text.size() > Attendance::kMaxAway) return "text is too long";
  beat.operators.push_back(std::move(one));
  return {};
}

std::string read_has(rpc::Params& params, Beat& beat) {
  Beat::Has one;
  one.node = params.text("node");
  one.log = params.text("log");
  one.upto = params.number_or("upto", 0);
  if (!is_node_name(one.node) || !is_log_id(one.log) || one.upto > kMostNumber) {
    return "has says nothing of a node";
  }
  beat.has.push_back(std::move(one));
  return {};
}

}  // namespace

Result<Beat> Beat::read(std::string_view line) {
  if (line.size() > kMostBytes) return Error{"a beat is too long"};
  auto parsed = rpc::parse(line);
  if (auto* failure = std::get_if<rpc::Failure>(&parsed)) return Error{std::move(failure->message)};
  const auto& notification = std::get<rpc::Request>(parsed);
  if (notification.method != kWord || !notification.id.empty()) return Error{"that is no beat"};
  // Members that are not known are of a newer node.
  rpc::Params params{notification.params};
  Beat beat;
  beat.log = params.text("log");
  beat.boot = params.text("boot");
  beat.version = params.text("version");
  beat.protocol = params.id("protocol");
  if (!params.problem().empty()) return Error{params.problem()};
  if (!is_log_id(beat.log)) return Error{"log is none"};
  if (!is_boot(beat.boot)) return Error{"boot is none"};
  if (beat.version.empty() || beat.version.size() > kMostVersion) return Error{"version is none"};
  if (const auto fault = fault_of_name(beat.version); !fault.empty()) {
    return Error{"version " + std::string{fault}};
  }
  if (beat.protocol != kClusterProtocol) return beat;
  beat.last = params.number_or("last", 0);
  beat.sessions = params.number_or("sessions", 0);
  const auto time = params.number_or("time", 0);
  if (beat.last > kMostNumber || beat.sessions > kMostNumber || time > kMostNumber) {
    return Error{"a number is too large"};
  }
  beat.time = WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(time)}};
  read_list(params, "operators", kMostOperators,
            [&beat](rpc::Params& one) { return read_operator(one, beat); });
  read_list(params, "has", kMostNodes, [&beat](rpc::Params& one) { return read_has(one, beat); });
  if (!params.problem().empty()) return Error{params.problem()};
  return beat;
}

std::string Beat::written() const {
  std::string out = R"({"jsonrpc":"2.0","method":"beat","params":{)";
  append_text(out, R"("log":)", log);
  append_text(out, R"(,"boot":)", boot);
  append_text(out, R"(,"version":)", version);
  append(out, R"(,"protocol":)", protocol);
  append(out, R"(,"last":)", last);
  append(out, R"(,"sessions":)", sessions);
  append(out, R"(,"time":)", static_cast<std::uint64_t>(time.time_since_epoch().count()));
  out += R"(,"operators":[)";
  for (const Operator& one : operators) {
    if (&one != operators.data()) out += ',';
    append_text(out, R"({"name":)", one.name);
    if (one.away) out += R"(,"away":true)";
    if (one.watching) out += R"(,"watching":true)";
    if (!one.text.empty()) append_text(out, R"(,"text":)", one.text);
    out += '}';
  }
  out += R"(],"has":[)";
  for (const Has& one : has) {
    if (&one != has.data()) out += ',';
    append_text(out, R"({"node":)", one.node);
    append_text(out, R"(,"log":)", one.log);
    append(out, R"(,"upto":)", one.upto);
    out += '}';
  }
  out += "]}}";
  return out;
}

}  // namespace chatd::cluster
