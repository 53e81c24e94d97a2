#include "process/handover_document.hpp"

#include <cassert>

namespace chatd {

namespace {

/// From that version on the descriptors stand behind the parts.
constexpr std::uint32_t kDescriptorsLast = 8;

std::size_t least_descriptors(bool has_records) {
  return has_records ? 3 : 2;
}

void read_descriptors(ByteReader& in, HandoverDocument& document) {
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    document.descriptors.push_back(in.number<std::int32_t>());
  }
  document.has_records = in.flag();
  in.require(document.descriptors.size() >= least_descriptors(document.has_records));
}

}  // namespace

std::optional<HandoverDocument> HandoverDocument::read(std::string_view body,
                                                       std::uint32_t version) {
  HandoverDocument document;
  ByteReader in{body, version};
  if (version < kDescriptorsLast) {
    read_descriptors(in, document);
    document.events = in.text();
    document.operators = in.text();
    document.clients = in.text();
  } else {
    document.clients = in.text();
    document.operators = in.text();
    document.events = in.text();
    read_descriptors(in, document);
  }
  if (!in.finished()) return std::nullopt;
  return document;
}

void HandoverWriter::part(const std::function<void(ByteWriter&)>& write) {
  ByteWriter out{[this](std::string_view bytes) { file_.append(bytes); }};
  const auto place = file_.size();
  out.number<std::uint64_t>(0);  // its size, as text() has it, which is known at the end
  out.flush();
  const auto begin = file_.size();
  write(out);
  out.flush();
  file_.overwrite(place, file_.size() - begin);
}

void HandoverWriter::descriptors(const std::vector<int>& descriptors, bool has_records) {
  assert(descriptors.size() >= least_descriptors(has_records));
  ByteWriter out{[this](std::string_view bytes) { file_.append(bytes); }};
  out.number<std::uint64_t>(descriptors.size());
  for (const int fd : descriptors) out.number<std::int32_t>(fd);
  out.flag(has_records);
  out.flush();
}

}  // namespace chatd
