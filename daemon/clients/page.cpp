#include "clients/page.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "clients/page_protocol.hpp"
#include "core/outgoing.hpp"

namespace chatd {

namespace {

std::string_view text_of(const Payload& said) {
  return said.view().substr(said.view().find('\0') + 1);
}

}  // namespace

// ---- the connection ----

void Page::came(std::uint64_t seen) {
  // A page that knows of more than we do is of a session that outlived a crash: what comes now
  // must be new to it.
  last_ = std::max(last_, seen);
  told_ = seen;
  came_at_ = last_;
  is_there_ = true;
  move_seen(seen);
}

void Page::see(std::uint64_t seq) {
  move_seen(std::min(seq, told_));
}

void Page::move_seen(std::uint64_t seq) {
  if (seq <= seen_) return;
  const auto end = first_after(heard_, seq);
  for (auto i = first_after(heard_, seen_); i < end; ++i) unseen_bytes_ -= heard_[i].payload.size();
  seen_ = seq;
  drop();
}

// ---- what is said ----

void Page::hear(Payload payload, WallTime date) {
  assert(payload.view().find('\0') != std::string_view::npos);
  unseen_bytes_ += payload.size();
  add(heard_, std::move(payload), date);
}

Page::Saying Page::asked(std::string_view id, std::string& answer) const {
  const auto known = short_form(id);
  const auto taken = std::find_if(taken_.rbegin(), taken_.rend(),
                                  [&](const Taken& each) { return each.id == known; });
  if (taken != taken_.rend()) {
    const auto entry = first_after(said_, taken->seq - 1);
    const bool is_kept = entry < said_.size() && said_[entry].seq == taken->seq;
    if (is_kept && taken->seq > told_) return Saying::kTaken;
    // Not beyond what was told, or the page would take that for seen.
    page::append_taken(answer, id, std::min(taken->seq, told_), taken->date);
    return Saying::kTakenAgain;
  }
  const auto untold = first_after(said_, told_);
  std::size_t bytes = 0;
  for (auto i = untold; i < said_.size(); ++i) bytes += said_[i].payload.size();
  return bytes < kMostBytes && said_.size() - untold < kMostTexts ? Saying::kNew : Saying::kFull;
}

void Page::take(std::string_view id, std::string_view text, WallTime date) {
  assert(is_there_ && page::is_id(id));
  std::string both;
  both.reserve(id.size() + 1 + text.size());
  both += id;
  both += '\0';
  both += text;
  if (taken_.size() == kMostIds) taken_.erase(taken_.begin());
  taken_.push_back({short_form(id), last_ + 1, date});
  add(said_, Payload{both, 0}, date);
}

void Page::add(Entries& entries, Payload payload, WallTime date) {
  bytes_ += payload.size();
  entries.push_back({++last_, date, std::move(payload)});
  drop();
}

/// Forgets what is too much of what may be forgotten, the oldest first.
void Page::drop() {
  std::size_t heard = 0;
  std::size_t said = 0;
  while (bytes_ > kMostBytes || heard_.size() - heard + said_.size() - said > kMostTexts) {
    const bool may_heard = heard < heard_.size() && heard_[heard].seq <= seen_;
    const bool may_said = said < said_.size() && is_droppable(said_[said]);
    if (!may_heard && !may_said) break;
    const bool is_heard = may_heard && (!may_said || heard_[heard].seq < said_[said].seq);
    bytes_ -= (is_heard ? heard_[heard++] : said_[said++]).payload.size();
  }
  heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(heard));
  said_.erase(said_.begin(), said_.begin() + static_cast<std::ptrdiff_t>(said));
}

std::array<unsigned char, 16> Page::short_form(std::string_view id) {
  const auto digest = tls::sha256(id);
  std::array<unsigned char, 16> half{};
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

/// What stands before the text in one payload.
std::string_view Page::id_of(const Payload& said) {
  return said.view().substr(0, said.view().find('\0'));
}

/// The index of the first one beyond `seq`.
std::size_t Page::first_after(const Entries& entries, std::uint64_t seq) {
  const auto first =
      std::upper_bound(entries.begin(), entries.end(), seq,
                       [](std::uint64_t value, const Entry& entry) { return value < entry.seq; });
  return static_cast<std::size_t>(first - entries.begin());
}

// ---- what is told ----

bool Page::next(std::string& frame, bool named) {
  if (!has_next()) return false;
  const auto heard = first_after(heard_, told_);
  const auto said = first_after(said_, told_);
  if (heard == heard_.size() && said == said_.size()) {
    told_ = last_;  // what was there is not kept any more
    return false;
  }
  if (said == said_.size() || (heard < heard_.size() && heard_[heard].seq < said_[said].seq)) {
    const Entry& entry = heard_[heard];
    const auto [author, text] = core::web_text(entry.payload.view());
    if (author.empty()) {
      page::append_from_desk(frame, entry.seq, entry.date, text);
    } else {
      page::append_from_operator(frame, entry.seq, entry.date, named ? author : std::string_view{},
                                 text);
    }
    told_ = entry.seq;
    return true;
  }
  const Entry& entry = said_[said];
  if (entry.seq > came_at_) {
    page::append_taken(frame, id_of(entry.payload), entry.seq, entry.date);
  } else {
    page::append_from_visitor(frame, entry.seq, entry.date, id_of(entry.payload),
                              text_of(entry.payload));
  }
  told_ = entry.seq;
  return true;
}

std::uint32_t Page::unseen() const {
  std::uint32_t sum = 0;
  for (auto i = first_after(heard_, seen_); i < heard_.size(); ++i) {
    sum += heard_[i].payload.weight();
  }
  return sum;
}

std::size_t Page::memory() const {
  return sizeof *this + bytes_ + (heard_.capacity() + said_.capacity()) * sizeof(Entry) +
         taken_.capacity() * sizeof(Taken);
}

}  // namespace chatd
