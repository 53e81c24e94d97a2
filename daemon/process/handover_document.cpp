#include "process/handover_document.hpp"

#include <cassert>
#include <cstdint>

#include "base/bytes.hpp"

namespace chatd {

namespace {

std::size_t least_descriptors(bool has_records) {
  return has_records ? 3 : 2;
}

}  // namespace

std::string HandoverDocument::write() const {
  assert(descriptors.size() >= least_descriptors(has_records));
  ByteWriter out;
  out.number<std::uint64_t>(descriptors.size());
  for (const int fd : descriptors) out.number<std::int32_t>(fd);
  out.flag(has_records);
  for (const auto* part : {&events, &operators, &clients}) out.text(*part);
  return out.take();
}

std::optional<HandoverDocument> HandoverDocument::read(std::string_view body) {
  HandoverDocument document;
  ByteReader in{body};
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    document.descriptors.push_back(in.number<std::int32_t>());
  }
  document.has_records = in.flag();
  in.require(document.descriptors.size() >= least_descriptors(document.has_records));
  document.events = in.text();
  document.operators = in.text();
  document.clients = in.text();
  if (!in.finished()) return std::nullopt;
  return document;
}

}  // namespace chatd
