// Bytes of the system as text. To a kernel the name of a file, a mount or a host is bytes; JSON, Prometheus, SQLite,
// journals and terminals take text, and one bad byte costs all that it stands in: a document, a host's whole scrape.
//
// Text here is valid UTF-8 without control characters; any other byte is written \xNN. Whoever reads a name from the
// system turns it into text here before it is shown, and keeps the bytes for system calls. What is text already (a file
// of the configuration, a body that is JSON) needs none of this.
#pragma once

#include <string>
#include <string_view>

namespace writecanary {

// A name, reversibly: two names never look the same. Only where it already says \xNN is its backslash written \x5c.
std::string system_name(std::string_view bytes);
// The bytes that system_name() wrote so. A backslash that begins no \xNN is a backslash.
std::string system_bytes(std::string_view name);

// Running text that may have names in it, such as an error or a line of a log: one line, nothing that steers a
// terminal. Not reversible; text that went through once stays as it is.
std::string system_text(std::string_view bytes);

// Only what is not UTF-8 is written \xNN: for texts of several lines.
std::string valid_utf8(std::string_view bytes);

}  // namespace writecanary
