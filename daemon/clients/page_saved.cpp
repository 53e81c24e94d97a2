// A Page as a plain value: what one process leaves of it to the next, as a whole or, in case it
// ends without warning, as a log.
#include <algorithm>
#include <cassert>

#include "base/bytes.hpp"
#include "base/most_number.hpp"
#include "base/text.hpp"
#include "clients/page.hpp"
#include "clients/page_protocol.hpp"

namespace chatd {

namespace {

/// What a log consists of.
enum class Change : std::uint8_t { kTokens, kHeard, kSaid, kTaken, kSeen, kLast };

/// What an entry takes in a log besides its bytes.
constexpr std::size_t kAroundEntry = 1 + 8 + 8 + 4 + 8;

/// One that can be written in four digits of a year.
WallTime read_date(ByteReader& in) {
  constexpr std::int64_t kYear10000 = 253'402'300'800'000;
  const auto milliseconds = in.number<std::int64_t>();
  in.require(milliseconds >= 0 && milliseconds < kYear10000);
  return WallTime{Duration{in.ok() ? milliseconds : 0}};
}

void write_date(ByteWriter& out, WallTime date) {
  out.number<std::int64_t>(date.time_since_epoch().count());
}

template <class Things>
bool is_rising(const Things& things, std::uint64_t last) {
  std::uint64_t before = 0;
  for (const auto& each : things) {
    if (each.seq <= before || each.seq > last) return false;
    before = each.seq;
  }
  return true;
}

}  // namespace

// ---- as a whole ----

void Page::save(ByteWriter& out) const {
  tokens_.save(out);
  out.number(last_);
  out.number(seen_);
  out.flag(is_there_);
  if (is_there_) {
    out.number(told_);
    out.number(came_at_);
  }
  for (const auto* entries : {&heard_, &said_}) {
    out.number<std::uint64_t>(entries->size());
    for (const Entry& each : *entries) {
      out.number(each.seq);
      write_date(out, each.date);
      out.payload(each.payload);
    }
  }
  out.number<std::uint64_t>(taken_.size());
  for (const Taken& each : taken_) {
    out.text({reinterpret_cast<const char*>(each.id.data()), each.id.size()});
    out.number(each.seq);
    write_date(out, each.date);
  }
}

void Page::restore(ByteReader& in) {
  tokens_.restore(in);
  last_ = in.number<std::uint64_t>();
  seen_ = in.number<std::uint64_t>();
  is_there_ = in.flag();
  if (is_there_) {
    told_ = in.number<std::uint64_t>();
    came_at_ = in.number<std::uint64_t>();
  }
  for (auto* entries : {&heard_, &said_}) {
    for (auto count = in.count(); count > 0 && in.ok(); --count) {
      Entry& entry = entries->emplace_back();
      entry.seq = in.number<std::uint64_t>();
      entry.date = read_date(in);
      entry.payload = in.payload();
    }
  }
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    Taken& taken = taken_.emplace_back();
    const auto id = in.text();
    in.require(id.size() == taken.id.size() && taken_.size() <= kMostIds);
    if (in.ok()) std::copy(id.begin(), id.end(), taken.id.begin());
    taken.seq = in.number<std::uint64_t>();
    taken.date = read_date(in);
  }
  in.require(could_be());
  if (in.ok()) count_bytes();
}

/// Whether the rest of this can rely on what was read.
bool Page::could_be() const {
  if (last_ > 2 * kMostNumber || seen_ > last_ || told_ > last_ || came_at_ > last_) return false;
  if (!is_rising(heard_, last_) || !is_rising(said_, last_) || !is_rising(taken_, last_)) {
    return false;
  }
  for (const auto* entries : {&heard_, &said_}) {
    for (const Entry& each : *entries) {
      const auto text = each.payload.view();
      if (!is_utf8(text) || text.find('\0') == std::string_view::npos) return false;
    }
  }
  return std::all_of(said_.begin(), said_.end(), [this](const Entry& each) {
    const auto end = first_after(heard_, each.seq);
    return page::is_id(id_of(each.payload)) && (end == 0 || heard_[end - 1].seq < each.seq);
  });
}

void Page::count_bytes() {
  bytes_ = unseen_bytes_ = 0;
  for (const Entry& each : said_) bytes_ += each.payload.size();
  for (const Entry& each : heard_) {
    bytes_ += each.payload.size();
    if (each.seq > seen_) unseen_bytes_ += each.payload.size();
  }
}

// ---- as a log ----

Page::Mark Page::begin_log(ByteWriter& out, std::size_t most) const {
  assert(most >= kMostWithoutTexts);
  most -= kMostWithoutTexts;
  auto heard = heard_.size();
  auto said = said_.size();
  while (heard + said > 0) {
    const bool is_heard = said == 0 || (heard > 0 && heard_[heard - 1].seq > said_[said - 1].seq);
    const Entry& latest = is_heard ? heard_[heard - 1] : said_[said - 1];
    const auto size = kAroundEntry + latest.payload.size();
    if (size > most) break;
    most -= size;
    --(is_heard ? heard : said);
  }
  out.enumerator(Change::kTokens);
  tokens_.save(out);
  write_said(out, heard, said, 0);
  out.enumerator(Change::kSeen);
  out.number(seen_);
  out.enumerator(Change::kLast);
  out.number(last_);
  return {tokens_, last_, seen_};
}

void Page::add_to_log(ByteWriter& out, Mark& mark) const {
  if (tokens_ != mark.tokens) {
    out.enumerator(Change::kTokens);
    tokens_.save(out);
  }
  if (last_ != mark.last) {
    const auto taken = std::partition_point(
        taken_.begin(), taken_.end(), [&](const Taken& each) { return each.seq <= mark.last; });
    write_said(out, first_after(heard_, mark.last), first_after(said_, mark.last),
               static_cast<std::size_t>(taken - taken_.begin()));
    out.enumerator(Change::kLast);
    out.number(last_);
  }
  if (seen_ != mark.seen) {
    out.enumerator(Change::kSeen);
    out.number(seen_);
  }
  mark = {tokens_, last_, seen_};
}

/// All from those places on.
void Page::write_said(ByteWriter& out, std::size_t heard, std::size_t said,
                      std::size_t taken) const {
  for (; heard < heard_.size(); ++heard) {
    out.enumerator(Change::kHeard);
    out.number(heard_[heard].seq);
    write_date(out, heard_[heard].date);
    out.number(heard_[heard].payload.weight());
    out.text(heard_[heard].payload.view());
  }
  for (; said < said_.size(); ++said) {
    out.enumerator(Change::kSaid);
    out.number(said_[said].seq);
    write_date(out, said_[said].date);
    out.text(said_[said].payload.view());
  }
  for (; taken < taken_.size(); ++taken) {
    out.enumerator(Change::kTaken);
    for (const auto byte : taken_[taken].id) out.number(byte);
    out.number(taken_[taken].seq);
    write_date(out, taken_[taken].date);
  }
}

std::optional<Page> Page::from_log(std::string_view log) {
  ByteReader in{log};
  std::optional<Page> page{std::in_place};
  while (in.ok() && !in.finished()) page->read_change(in);
  if (!in.ok() || page->tokens_.good().empty() || !page->could_be()) return {};
  page->count_bytes();
  page->drop();
  if (page->taken_.size() > kMostIds) {
    page->taken_.erase(page->taken_.begin(), page->taken_.end() - kMostIds);
  }
  page->heard_.shrink_to_fit();
  page->said_.shrink_to_fit();
  page->taken_.shrink_to_fit();
  return page;
}

void Page::read_change(ByteReader& in) {
  switch (in.enumerator(Change::kLast)) {
    case Change::kTokens:
      tokens_.restore(in);
      break;
    case Change::kHeard: {
      Entry& entry = heard_.emplace_back();
      entry.seq = in.number<std::uint64_t>();
      entry.date = read_date(in);
      const auto weight = in.number<std::uint32_t>();
      entry.payload = Payload{in.text(), weight};
      break;
    }
    case Change::kSaid: {
      Entry& entry = said_.emplace_back();
      entry.seq = in.number<std::uint64_t>();
      entry.date = read_date(in);
      entry.payload = Payload{in.text(), 0};
      break;
    }
    case Change::kTaken: {
      Taken& taken = taken_.emplace_back();
      for (auto& byte : taken.id) byte = in.number<unsigned char>();
      taken.seq = in.number<std::uint64_t>();
      taken.date = read_date(in);
      break;
    }
    case Change::kSeen:
      seen_ = in.number<std::uint64_t>();
      break;
    case Change::kLast:
      last_ = in.number<std::uint64_t>();
      break;
  }
}

}  // namespace chatd
