/// What one process leaves to the next is read as it was written, or not at all.
#include "process/handover_document.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "service/handover.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

struct Parts {
  std::vector<int> descriptors;
  bool has_records = false;
  std::string clients, operators, events;
};

Parts example(bool has_records) {
  return {{7, 8, 9, 10, 11}, has_records, std::string{"\0who is there", 13}, "", "what happened"};
}

/// The body that a writer makes of them, out of its file.
std::string written(const Parts& parts) {
  auto file = service::DocumentFile::make();
  REQUIRE(file);
  HandoverWriter writer{*file};
  for (const auto* part : {&parts.clients, &parts.operators, &parts.events}) {
    writer.part([part](ByteWriter& out) {
      for (const char c : *part) out.number(c);
    });
  }
  writer.descriptors(parts.descriptors, parts.has_records);
  auto finished = file->finish();
  REQUIRE(finished);
  auto mapped = service::MappedDocument::of(finished->get());
  REQUIRE(mapped);
  auto body = service::disclose(mapped->bytes());
  REQUIRE(body);
  CHECK(body->version == kSavedVersion);
  return std::string{body->body};
}

TEST_CASE("handover document: what was written is read", "[process][handover]") {
  const bool has_records = GENERATE(false, true);
  const auto bytes = written(example(has_records));
  const auto read = HandoverDocument::read(bytes);
  REQUIRE(read);
  CHECK(read->descriptors == std::vector<int>{7, 8, 9, 10, 11});
  CHECK(read->has_records == has_records);
  CHECK(read->events == "what happened");
  CHECK(read->operators.empty());
  CHECK(read->clients == std::string_view{"\0who is there", 13});
}

TEST_CASE("handover document: that of version 6 is read", "[process][handover]") {
  using namespace std::string_view_literals;
  const auto bytes =
      "\2\0\0\0\0\0\0\0"
      "\7\0\0\0\2\1\0\0"
      "\0"
      "\1\0\0\0\0\0\0\0e"
      "\2\0\0\0\0\0\0\0op"
      "\0\0\0\0\0\0\0\0"sv;
  const auto read = HandoverDocument::read(bytes, 6);
  REQUIRE(read);
  CHECK(read->descriptors == std::vector<int>{7, 258});
  CHECK_FALSE(read->has_records);
  CHECK(read->events == "e");
  CHECK(read->operators == "op");
  CHECK(read->clients.empty());
  CHECK_FALSE(HandoverDocument::read(bytes));
}

TEST_CASE("handover document: megabytes go to the file as they are written",
          "[process][handover]") {
  Parts large = example(false);
  large.clients.assign(3'000'001, 'c');
  large.events.assign(700'000, 'e');
  const auto bytes = written(large);
  const auto read = HandoverDocument::read(bytes);
  REQUIRE(read);
  CHECK(read->clients == large.clients);
  CHECK(read->events == large.events);
  std::size_t most = 0;
  std::string all;
  ByteWriter out{[&](std::string_view piece) { all += piece; }};
  for (int i = 0; i < 1'000'000; ++i) {
    out.number(i);
    most = std::max(most, out.bytes().size());
  }
  out.text(large.clients);
  CHECK(out.bytes().empty());
  out.flush();
  CHECK(all.size() == 4'000'000 + 8 + large.clients.size());
  CHECK(most <= 256UL * 1024);
}

TEST_CASE("handover document: it is used once", "[process][handover]") {
  auto file = service::DocumentFile::make();
  REQUIRE(file);
  HandoverWriter{*file}.descriptors({7, 8}, false);
  auto finished = file->finish();
  REQUIRE(finished);
  const auto whole = [&] {
    auto mapped = service::MappedDocument::of(finished->get());
    REQUIRE(mapped);
    return static_cast<bool>(service::disclose(mapped->bytes()));
  };
  CHECK(whole());
  service::use_up(finished->get());
  CHECK_FALSE(whole());
}

/// What the kernel says of the mapping that a place is in, in two letters each.
std::string flags_at(const void* place) {
  std::ifstream maps{"/proc/self/smaps"};
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      const auto at = reinterpret_cast<std::uintptr_t>(place);
      found = begin <= at && at < end;
    } else if (found && line.rfind("VmFlags:", 0) == 0) {
      return line;
    }
  }
  return {};
}

TEST_CASE("handover document: no core file has it", "[process][handover]") {
  auto file = service::DocumentFile::make();
  REQUIRE(file);
  HandoverWriter{*file}.descriptors({7, 8}, false);
  auto finished = file->finish();
  REQUIRE(finished);
  auto mapped = service::MappedDocument::of(finished->get());
  REQUIRE(mapped);
  CHECK(flags_at(mapped->bytes().data()).find(" dd") != std::string::npos);
  const std::string elsewhere(1'000'000, 'x');
  const auto flags = flags_at(elsewhere.data());
  CHECK(!flags.empty());
  CHECK(flags.find(" dd") == std::string::npos);
}

TEST_CASE("handover document: the last descriptors are those of the daemon itself",
          "[process][handover]") {
  const auto bytes = written(example(true));
  const auto document = HandoverDocument::read(bytes);
  REQUIRE(document);
  CHECK(document->place_of_records() == 2);
  CHECK(document->place_of_watched() == 3);
  CHECK(document->place_of_control() == 4);
}

TEST_CASE("handover document: every byte of it is needed, and no other", "[process][handover]") {
  const auto whole = written(example(true));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (HandoverDocument::read(std::string_view{whole}.substr(0, size))) {
      FAIL("the first " << size << " bytes");
    }
  }
  CHECK_FALSE(HandoverDocument::read(whole + "x"));
}

TEST_CASE("handover document: the descriptors of the daemon itself cannot be missing",
          "[process][handover]") {
  auto bytes = written(example(false));
  Parts small;
  small.descriptors = {7, 8};
  auto two = written(small);
  CHECK(HandoverDocument::read(two));
  two.back() = 1;  // records that are not there
  CHECK_FALSE(HandoverDocument::read(two));
  CHECK(HandoverDocument::read(bytes));
  bytes.back() = 2;
  CHECK_FALSE(HandoverDocument::read(bytes));
}

}  // namespace
}  // namespace chatd::test
