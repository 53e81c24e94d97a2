#include "core/talk.hpp"

#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "base/text.hpp"

namespace chatd::core {

namespace {

/// What the allocator gives out is a multiple of this, less what it needs itself.
constexpr std::size_t kGrain = 16;
constexpr std::size_t kAllocators = 8;

}  // namespace

void Talk::Free::operator()(Block* block) const {
  block->~Block();
  ::operator delete(block);
}

/// Of a block with a text of that size: all that the allocator gives for it, so that the next text
/// often has room where this one is.
std::size_t Talk::bytes_for(std::size_t text) {
  const auto whole = sizeof(Block) + text + kAllocators;
  return (whole + kGrain - 1) / kGrain * kGrain - kAllocators;
}

Talk::Block& Talk::block() {
  if (!block_) block_.reset(new (::operator new(bytes_for(0))) Block);
  return *block_;
}

Talk::Added& Talk::added() {
  Block& self = block();
  if (!self.added) self.added = std::make_unique<Added>();
  return *self.added;
}

void Talk::set_text(std::string_view text, Last last) {
  text = prefix_of(text, kMostText);
  if (!block_ || bytes_for(text.size()) != bytes_for(block_->size)) {
    std::unique_ptr<Block, Free> next{new (::operator new(bytes_for(text.size()))) Block};
    if (block_) {
      next->waiting_since = block_->waiting_since;
      next->added = std::move(block_->added);
    }
    block_ = std::move(next);
  }
  block_->size = static_cast<std::uint8_t>(text.size());
  block_->last = last;
  if (!text.empty()) std::memcpy(block_->text(), text.data(), text.size());
}

void Talk::said(std::string_view text) {
  set_text(text, Last::kClient);
}

void Talk::answered(std::string_view text, std::string_view operator_name) {
  added().answered_by = operator_name;
  set_text(text, Last::kOperator);
}

void Talk::add(Note note) {
  auto& notes = added().notes;
  assert(notes.size() <= kMostNotes);
  if (notes.size() == kMostNotes) notes.erase(notes.begin());
  notes.push_back(std::move(note));
}

void Talk::waits_since(Time when) {
  block().waiting_since = when;
}

std::string_view Talk::last_text() const {
  return block_ ? std::string_view{block_->text(), block_->size} : std::string_view{};
}

std::string_view Talk::answered_by() const {
  return block_ && block_->added ? std::string_view{block_->added->answered_by}
                                 : std::string_view{};
}

const std::vector<Note>& Talk::notes() const {
  static const std::vector<Note> kNone{};
  return block_ && block_->added ? block_->added->notes : kNone;
}

std::size_t Talk::kept_bytes() const {
  if (!block_) return 0;
  auto bytes = bytes_for(block_->size);
  if (!block_->added) return bytes;
  bytes += sizeof(Added) + block_->added->answered_by.capacity();
  for (const Note& note : block_->added->notes) {
    bytes += sizeof(Note) + note.operator_name.size() + note.text.size();
  }
  return bytes;
}

}  // namespace chatd::core
