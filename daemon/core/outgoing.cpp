#include "core/outgoing.hpp"

#include <string>

namespace chatd::core {

Payload encode(std::string_view text, Dialect dialect, std::uint32_t weight) {
  switch (dialect) {
    case Dialect::kOriginal:
    case Dialect::kRaw:
      return Payload{text, weight};
    case Dialect::kUndecided:
    case Dialect::kLine: {
      std::string line;
      line.reserve(text.size() + 1);
      line += text;
      line += '\n';
      return Payload{line, weight};
    }
    case Dialect::kTelnet: {
      std::string lines;
      lines.reserve(text.size() + 2);
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') {
          lines += "\r\n";
        } else if (text[i] == '\r') {
          // A CR of its own is CR NUL in RFC 854; before an LF it belongs to that.
          if (i + 1 == text.size() || text[i + 1] != '\n') lines += std::string_view{"\r\0", 2};
        } else {
          lines += text[i];
        }
      }
      lines += "\r\n";
      return Payload{lines, weight};
    }
  }
  return {};
}

const Payload& Outgoing::as(Dialect dialect) {
  const bool as_it_is = dialect == Dialect::kOriginal || dialect == Dialect::kRaw;
  Payload& payload = as_it_is ? as_it_is_ : dialect == Dialect::kTelnet ? telnet_ : line_;
  if (payload.view().data() == nullptr) payload = encode(text_, dialect, weight_);
  return payload;
}

}  // namespace chatd::core
