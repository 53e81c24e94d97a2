#include "cluster/block.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "base/most_number.hpp"
#include "operators/rpc.hpp"

namespace chatd::cluster {

namespace {

constexpr std::size_t kLogIdDigits = 32;
constexpr std::string_view kWord = "block";

/// The first line of `rest`, without its LF; nothing if none ends.
std::optional<std::string_view> cut_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return {};
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<Block> read_head(std::string_view line) {
  auto parsed = rpc::parse(line);
  if (auto* failure = std::get_if<rpc::Failure>(&parsed)) return Error{std::move(failure->message)};
  const auto& notification = std::get<rpc::Request>(parsed);
  if (notification.method != kWord || !notification.id.empty()) {
    return Error{"a block begins with what it covers"};
  }
  rpc::Params params{notification.params};
  Block block;
  block.log = params.text("log");
  block.covers.after = params.number_or("after", 0);
  block.covers.upto = params.number_or("upto", 0);
  if (!params.problem().empty()) return Error{params.problem()};
  if (!is_log_id(block.log)) return Error{"log is none"};
  if (block.covers.after >= block.covers.upto || block.covers.upto > kMostNumber) {
    return Error{"a block must cover something"};
  }
  return block;
}

}  // namespace

bool is_log_id(std::string_view text) {
  return text.size() == kLogIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void begin_block(std::string& out, const LogId& log, Interval covers) {
  out += R"({"jsonrpc":"2.0","method":"block","params":{"log":")";
  out += log;
  out += R"(","after":)";
  out += std::to_string(covers.after);
  out += R"(,"upto":)";
  out += std::to_string(covers.upto);
  out += "}}\n";
}

Result<Block> read_block(std::string_view bytes) {
  if (bytes.size() > Block::kMostBytes) return Error{"a block is too large"};
  const auto head = cut_line(bytes);
  if (!head) return Error{"a block begins with what it covers"};
  auto read = read_head(*head);
  if (!read) return std::move(read.error());
  Block& block = *read;
  Number last = block.covers.after;
  while (!bytes.empty()) {
    const auto line = cut_line(bytes);
    if (!line) return Error{"the last line of a block does not end"};
    auto event = PeerEvent::read(*line);
    if (!event) return std::move(event.error()).while_doing("in a block");
    if (event->number() <= last || event->number() > block.covers.upto) {
      return Error{"event " + std::to_string(event->number()) + " has no place in its block"};
    }
    last = event->number();
    if (block.events.size() == Block::kMostEvents) return Error{"a block has too many events"};
    block.events.push_back(std::move(*event));
  }
  return read;
}

}  // namespace chatd::cluster
