#include "events/transcript_json.hpp"

#include <algorithm>
#include <vector>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/wall_time.hpp"
#include "events/event_json.hpp"
#include "events/record.hpp"

namespace chatd {

namespace {

/// The most of a page of messages: with what stands around it a line stays below 1 MiB.
constexpr std::size_t kMaxPageBytes = 1000UL * 1000;
/// Of a text that would not fit into a line by itself, this much is shown.
constexpr std::size_t kShownBytes = 100UL * 1024;

std::string_view word(store::State state) {
  switch (state) {
    case store::State::kSent:
      return "sent";
    case store::State::kHeld:
      return "held";
    case store::State::kLost:
      return "lost";
    case store::State::kDelivered:
      return "delivered";
  }
  return "";
}

bool is_automatic(const store::Record& record) {
  return record.kind == store::Kind::kSent && record.ref != 0;
}

void append_sessions(std::string& out, const store::Record& record) {
  if (record.sessions.empty()) {
    out += std::to_string(record.session);
  } else {
    append_json_ids(out, record.sessions);
  }
}

/// `name`: that of the session when it was said, as JSON; empty if it had none.
std::string message_json(const store::Record& record, std::string_view text, bool cut,
                         std::string_view name) {
  std::string out = "{\"seq\":" + std::to_string(record.seq) + ",\"time\":\"";
  append_rfc3339(out, time_of(record));
  out += "\",\"session\":";
  append_sessions(out, record);
  if (!name.empty()) {
    out += ",\"name\":";
    out += name;
  }
  if (record.kind == store::Kind::kSent) {
    out += R"(,"direction":"out","operator":)";
    append_json_string(out, record.operator_name);
  } else {
    out += R"(,"direction":"in")";
  }
  out += ",\"text\":";
  append_json_string(out, text);
  out += ",\"state\":\"";
  out += record.kind == store::Kind::kSent ? word(record.state) : "received";
  out += '"';
  if (cut) out += R"(,"cut":true)";
  if (is_automatic(record)) out += R"(,"automatic":true)";
  out += '}';
  return out;
}

}  // namespace

Result<std::string> messages_json(store::Reader& reader, const MessageQuery& query) {
  std::vector<std::string> found;
  std::size_t bytes = 0;
  bool more = false;
  const auto visit = [&](const store::Record& record) {
    if (found.size() == query.limit) {
      more = true;
      return false;
    }
    // A message to several has no name; a question about one session shows it as if to that.
    const auto name = record.session == 0
                          ? std::string_view{}
                          : given_name(reader.names().last_before(record.seq, record.session));
    std::string json = message_json(record, record.text, record.cut, name);
    if (json.size() > kMaxPageBytes)
      json = message_json(record, prefix_of(record.text, kShownBytes), true, name);
    if (bytes + json.size() + 1 > kMaxPageBytes) {
      more = true;
      return false;
    }
    bytes += json.size() + 1;
    found.push_back(std::move(json));
    return true;
  };
  auto read = query.search ? reader.search(query.text, query.where, visit)
                           : reader.history(query.where, visit);
  if (!read) return std::move(read.error());
  if (!query.search) std::reverse(found.begin(), found.end());
  std::string out = "{\"messages\":[";
  out.reserve(bytes + 64);
  for (const std::string& json : found) {
    if (out.back() != '[') out += ',';
    out += json;
  }
  out += more ? R"(],"more":true})" : R"(],"more":false})";
  return out;
}

ReplayPage missing_page(Seq after, Seq upto) {
  ReplayPage page{{}, upto};
  append_lagged(page.lines, upto, upto - after, wall_now());
  return page;
}

ReplayPage replay_page(store::Reader& reader, Seq after, Seq upto, std::size_t max_bytes) {
  ReplayPage page{{}, after};
  bool full = false;
  const auto read = reader.replay(after, upto, [&](const store::Record& record) {
    if (page.lines.size() >= max_bytes) {
      full = true;
      return false;
    }
    if (record.seq > page.last + 1) {
      append_lagged(page.lines, record.seq - 1, record.seq - 1 - page.last, time_of(record));
    }
    append_event(page.lines, record);
    page.last = record.seq;
    return true;
  });
  // A file that cannot be read has none of them.
  if ((!read || !full) && page.last < upto) {
    append_lagged(page.lines, upto, upto - page.last, wall_now());
    page.last = upto;
  }
  return page;
}

}  // namespace chatd
