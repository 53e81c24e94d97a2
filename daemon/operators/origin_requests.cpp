// Requests about origins: who costs what.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "operators/requests.hpp"

namespace chatd {

namespace {

constexpr std::uint64_t kMostOrigins = 1000;
constexpr std::uint64_t kUsualOrigins = 100;

void append_origin(std::string& out, const Accounts& accounts, Accounts::Number number,
                   std::size_t memory) {
  const auto& totals = accounts.totals(number);
  out += "{\"origin\":";
  append_json_string(out, accounts.origin(number).to_string());
  const auto add = [&out](std::string_view name, std::uint64_t value) {
    out += ",\"";
    out += name;
    out += "\":";
    append_number(out, value);
  };
  add("sessions", accounts.sessions(number));
  add("connects", totals.connects);
  add("refused", totals.refused);
  add("bytes", totals.bytes);
  add("messages", totals.messages);
  add("memory", memory);
  add("records", totals.records);
  add("records_lost", totals.records_lost);
  out += '}';
}

}  // namespace

void ask_origins(const Requests::Request& request) {
  const auto limit = request.params.number_or("limit", kUsualOrigins);
  if (limit == 0 || limit > kMostOrigins) request.params.fail("limit must be 1 to 1000");
  if (!request.accept()) return;
  const Accounts& accounts = request.parts.clients.accounts();
  auto memory = request.parts.clients.eviction().memory();
  auto numbers = accounts.all();
  const auto costs_more = [&](Accounts::Number a, Accounts::Number b) {
    const auto& mine = accounts.totals(a);
    const auto& its = accounts.totals(b);
    if (mine.bytes != its.bytes) return mine.bytes > its.bytes;
    if (mine.connects != its.connects) return mine.connects > its.connects;
    return accounts.origin(a) < accounts.origin(b);
  };
  const auto shown = std::min<std::size_t>(limit, numbers.size());
  std::partial_sort(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(shown),
                    numbers.end(), costs_more);
  request.reply.result_by([&](std::string& out) {
    out += '[';
    for (std::size_t i = 0; i < shown; ++i) {
      if (i > 0) out += ',';
      append_origin(out, accounts, numbers[i], memory[numbers[i]]);
    }
    out += ']';
  });
}

}  // namespace chatd
