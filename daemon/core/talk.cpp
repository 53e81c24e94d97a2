#include "core/talk.hpp"

#include <cassert>
#include <utility>

#include "base/text.hpp"

namespace chatd::core {

void Talk::said(std::string_view text) {
  last_text_ = prefix_of(text, kMostText);
  last_ = Last::kClient;
}

void Talk::answered(std::string_view text, std::string_view operator_name) {
  last_text_ = prefix_of(text, kMostText);
  answered_by_ = operator_name;
  last_ = Last::kOperator;
}

void Talk::add(Note note) {
  assert(notes_.size() <= kMostNotes);
  if (notes_.size() == kMostNotes) notes_.erase(notes_.begin());
  notes_.push_back(std::move(note));
}

}  // namespace chatd::core
