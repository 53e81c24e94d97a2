/// The smallest parts of HTTP's grammar, for whoever reads fields: RFC 9110, section 5.6. Pure
/// functions on ASCII; none allocates.
#pragma once

#include <string_view>

namespace chatd::http {

/// tchar of RFC 9110, section 5.6.2.
[[nodiscard]] bool is_token_character(char c);
/// One or more of them.
[[nodiscard]] bool is_token(std::string_view text);
/// Whether there is nothing in `text` that a field value must not have: controls but for the tab
/// (RFC 9110, section 5.5). Bytes from 80 on are let through, as obs-text is.
[[nodiscard]] bool is_field_value(std::string_view text);

/// Letters are the same in upper and in lower case.
[[nodiscard]] bool is_same_word(std::string_view one, std::string_view other);
/// Without the blanks and tabs (OWS) at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Takes the next element off a list with commas between, trimmed; empty ones are passed over
/// (RFC 9110, section 5.6.1.2). Empty when there is none left. It knows no quotes.
[[nodiscard]] std::string_view take_element(std::string_view& list);
/// Whether `word`, in upper or lower case, is an element of the list.
[[nodiscard]] bool list_has(std::string_view list, std::string_view word);

}  // namespace chatd::http
