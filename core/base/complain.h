// A line on stderr for somebody who may not be there. What main() says last, and what a run says beside its findings.
// Not a log: the daemon has one.
#pragma once

#include <string>

namespace writecanary {

// As system_text(). Nothing happens when it cannot be written (a full disk behind a redirection). Any thread.
void complain(const std::string& line) noexcept;

}  // namespace writecanary
