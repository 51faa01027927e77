// How the database fails: what was tried, on which file, and the way out.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace writecanary::storage {

struct StorageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// How often reading or writing a database has failed in this program, whoever caught it. Any thread.
std::uint64_t storage_errors_total();

}  // namespace writecanary::storage
