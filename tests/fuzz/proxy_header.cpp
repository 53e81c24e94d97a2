// Headers of the PROXY protocol. After an even first byte the rest is one; after an odd one it is
// a good one with changes. Any way of cutting it, and handing the reader over in between, gives
// the same, and nothing behind it is taken.
#include "clients/proxy_header.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "clients/proxy_bytes.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::ProxyFault;
using chatd::ProxyHeader;
using chatd::ProxyReader;
using chatd::fuzz::must;
using chatd::test::binary_header;
using chatd::test::bytes_of;
using chatd::test::fact;
using chatd::test::kIpv4Ends;
using chatd::test::kIpv6Ends;
using chatd::test::ssl_fact;
using chatd::test::with_checksum;
using State = ProxyReader::State;

struct Read {
  ProxyReader reader;
  std::size_t taken = 0;
};

std::string good(std::size_t which) {
  const auto facts = fact(0x01, "h2") + fact(0x02, "chat.example") + fact(0x04, "...") +
                     ssl_fact(0x03, bytes_of("\0\0\0\0"), fact(0x21, "TLSv1.3") + fact(0x22, "n"));
  switch (which % 5) {
    case 0:
      return "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\nhello";
    case 1:
      return "PROXY TCP6 2001:db8::7 ::1 4711 443\r\n";
    case 2:
      return binary_header(0x21, 0x11, std::string{kIpv4Ends} + facts) + "hello";
    case 3:
      return binary_header(0x20, 0x00, "");
    default:
      return with_checksum(
          binary_header(0x21, 0x21, std::string{kIpv6Ends} + fact(0x03, "....") + facts));
  }
}

Read read(std::string_view bytes, std::size_t step, bool hand_over) {
  Read read;
  while (!bytes.empty() && read.reader.state() < State::kWhole) {
    const std::string copy{bytes.substr(0, step)};
    std::string_view input = copy;
    read.reader.take(input);
    const bool over = read.reader.state() >= State::kWhole;
    must(over || input.empty(), "bytes are left, and no header");
    read.taken += copy.size() - input.size();
    bytes.remove_prefix(copy.size() - input.size());
    if (!hand_over || over) continue;
    ByteWriter out;
    read.reader.save(out);
    ByteReader in{out.bytes()};
    ProxyReader next;
    next.restore(in);
    must(in.finished() && next.state() == read.reader.state(), "handed over it is different");
    read.reader = std::move(next);
  }
  must(read.taken <= chatd::kMostProxyHeader, "a header that is too long");
  return read;
}

void same(const Read& one, const Read& other) {
  must(one.reader.state() == other.reader.state(), "cut somewhere its state is different");
  must(one.reader.fault() == other.reader.fault(), "cut somewhere its fault is different");
  must(one.taken == other.taken, "cut somewhere it ends elsewhere");
}

void check(const ProxyHeader& header, std::string_view bytes) {
  must(header.version == 1 || header.version == 2, "of no version");
  if (header.version == 1) {
    must(bytes.size() <= chatd::kMostProxyLine && bytes.ends_with("\r\n"), "a line without an end");
    must(bytes.find('\n') == bytes.size() - 1, "two lines");
  }
  must(!header.local || !header.source, "a check of health has a client");
  must(header.source.has_value() == header.destination.has_value(), "half a connection");
  must(chatd::is_utf8(header.authority), "an authority that is no text");
  if (header.source) (void)header.source->to_string();
  if (header.tls) must(chatd::is_utf8(header.tls->name), "a name that is no text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chatd::fuzz::Input input{data, size};
  const auto which = input.byte();
  const auto bytes = chatd::fuzz::changed(input, good(which));
  const Read whole = read(bytes, bytes.size(), false);
  same(whole, read(bytes, 1, false));
  same(whole, read(bytes, 1, true));
  same(whole, read(bytes, 13, true));
  const bool refused = whole.reader.state() == State::kRefused;
  must(refused == (whole.reader.fault() != ProxyFault::kNone), "a fault that is none");
  if (whole.reader.state() == State::kWhole) {
    check(whole.reader.header(), std::string_view{bytes}.substr(0, whole.taken));
  }
  return 0;
}
